// A page that has nothing live of its own.

import { startSheet } from "./sheet.js";

startSheet();
