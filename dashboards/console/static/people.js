// The people page: users, tokens and the audit, each by itself; what is done to one shows in the audit at once.

import { startAudit, loadAudit } from "./audit.js";
import { startDialog } from "./dialog.js";
import { openFrame, refreshStation, startFrame } from "./frame.js";
import { startTokens } from "./tokens.js";
import { startUsers } from "./users.js";

const AUDIT_MS = 700; // Audit rows are written beside the answer, every half second.

startFrame({ values() {}, alarm() {}, capacity() {}, opened: refreshStation });
startDialog();
startUsers(soon);
startTokens(soon);
startAudit();
openFrame();

function soon() {
  setTimeout(loadAudit, AUDIT_MS);
}
