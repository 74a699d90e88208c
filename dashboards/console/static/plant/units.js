// The list of units: the state of each, and the alarm that stands at it.

import { layout, setText } from "../dom.js";
import { isHidden } from "../alarm_words.js";
import { evaluate } from "../numbers.js";
import { loadAlarms, onStanding, standingAlarms, takeAlarm } from "../standing.js";
import { alarmAt, symbol, takeStanding } from "../symbols.js";
import { startSheet } from "./sheet.js";

const chips = [...document.querySelectorAll(".units .state")];
const rows = [...document.querySelectorAll(".units li")];

onStanding(showAlarms);
startSheet({ values: showStates, alarm: takeAlarm, opened: loadAlarms, second: showStates });

function showStates() {
  for (const chip of chips) {
    const { tag } = chip.dataset;
    const { text, abnormal, quality, value } = evaluate({ tag });
    const kind = abnormal ? "abnormal" : layout.signals[tag].working?.includes(value) ? "working" : "resting";
    setText(chip, `${abnormal ? "✕ " : ""}${text}`);
    const name = `state ${kind}${quality === "good" ? "" : ` q-${quality}`}`;
    if (chip.className !== name) chip.className = name;
  }
}

function showAlarms() {
  takeStanding(standingAlarms().filter((alarm) => alarm.state !== "NORM" && !isHidden(alarm)));
  for (const row of rows) {
    const alarm = alarmAt([row.dataset.unit]);
    row.querySelector(".mark").replaceChildren(...(alarm ? [symbol(alarm.priority, alarm.acked)] : []));
  }
}
