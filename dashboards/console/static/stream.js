// The one live connection: an EventSource with a watchdog, since a silent connection tells nobody that it is dead.

import { ask, context, RequestError, stationPath } from "./dom.js";
import { setClock, speedNow, stationNow, takeValues } from "./numbers.js";

const SILENT_MS = 2500; // The stream speaks each second; "no data" must be on the screen within 3 s.
const PROBE_MS = 5000;

export class Link {
  /** @param {{values, alarm, capacity, test, opened, station, expired}} handlers told what comes. */
  constructor(handlers) {
    this.handlers = handlers;
    this.newest = 0;
    this.advancedAt = -Infinity;
    this.triedAt = performance.now();
    this.source = null;
    this.whole = true;
  }

  open() {
    this.source?.close();
    this.whole = true;
    this.triedAt = performance.now();
    const source = new EventSource(stationPath("/stream?conflate=1s"));
    this.source = source;
    source.onopen = () => {
      this.whole = true; // Each connection begins with the whole state.
      this.handlers.opened();
    };
    source.addEventListener("readings", (event) => this.#readings(JSON.parse(event.data)));
    source.addEventListener("alarm", (event) => this.handlers.alarm(JSON.parse(event.data)));
    source.addEventListener("capacity", (event) => this.handlers.capacity(JSON.parse(event.data)));
    source.addEventListener("test", (event) => this.handlers.test(JSON.parse(event.data)));
    source.addEventListener("reset", () => this.handlers.opened());
  }

  /** Return {state: "live" | "silent" | "lost" | "connecting", ageS, since}. */
  status() {
    const ageMs = performance.now() - this.advancedAt;
    const connected = this.source?.readyState === EventSource.OPEN;
    if (!this.newest) return { state: connected ? "silent" : "connecting", ageS: null, since: null };
    const state = ageMs <= SILENT_MS ? "live" : connected ? "silent" : "lost";
    return { state, ageS: ageMs / 1000, since: this.newest };
  }

  /** Look after the connection; call it often. */
  async watch() {
    const now = performance.now();
    const speaks = now - this.advancedAt < PROBE_MS && this.source?.readyState !== EventSource.CLOSED;
    if (speaks || now - this.triedAt < PROBE_MS) return;
    this.triedAt = now;
    try {
      await this.refresh();
      if (performance.now() - this.advancedAt > SILENT_MS) this.open();
    } catch (error) {
      if (error instanceof RequestError && error.status === 401) this.handlers.expired();
    }
  }

  /** Ask the server for the station's clock, speed and whether it is simulated. */
  async refresh() {
    const station = await ask(stationPath(), { timeoutMs: 3000 });
    const t = Date.parse(station.time);
    if (Math.abs(stationNow() - t) > 2000 * station.speed || station.speed !== speedNow()) setClock(t, station.speed);
    this.handlers.station(station);
  }

  #readings({ t, values }) {
    const whole = this.whole;
    this.whole = false;
    if (t > this.newest || t < this.newest - 60000) {
      // A state kept from before a restart is as old as it says; whatever comes after it is new.
      const oldMs = whole ? Math.max(0, (stationNow() - t) / speedNow()) : 0;
      this.advancedAt = Math.max(this.advancedAt, performance.now() - (oldMs < SILENT_MS ? 0 : oldMs));
      if (oldMs < SILENT_MS) setClock(t);
      this.newest = t;
    }
    this.handlers.values(takeValues(values, whole));
  }
}

setClock(context.now || Date.now(), context.speed || 1);
