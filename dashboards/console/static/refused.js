// A page that is not for this role: its frame alone.

import { openFrame, refreshStation, startFrame } from "./frame.js";

startFrame({ values() {}, alarm() {}, capacity() {}, opened: refreshStation });
openFrame();
