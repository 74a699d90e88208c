// The alarms page: brings list, detail, journal, figures and maintenance together, and keeps time.

import { byId } from "./dom.js";
import { showDetail, startDetail, renewDetail } from "./alarm_detail.js";
import { showList, startList } from "./alarm_list.js";
import { startDialog } from "./dialog.js";
import { openFigures, startFigures } from "./figures.js";
import { openFrame, refreshStation, startFrame } from "./frame.js";
import { openJournal, startJournal } from "./journal.js";
import { loadMaintenance, startMaintenance } from "./maintenance.js";
import { loadAlarms, onStanding, takeAlarm } from "./standing.js";
import { startTabs } from "./tabs.js";
import { startTrial } from "./trial.js";

startFrame({ values: renewDetail, alarm: takeAlarm, capacity() {}, opened });
startDialog();
startList(showDetail);
startDetail();
startJournal();
startFigures();
startMaintenance();
startTrial();
startTabs(byId("alarm-tabs"), { journal: openJournal, figures: openFigures, maintenance: loadMaintenance });
onStanding(() => {
  showList();
  renewDetail();
});
openFrame();

function opened() {
  loadAlarms();
  loadMaintenance();
  refreshStation();
}
