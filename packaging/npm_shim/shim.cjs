#!/usr/bin/env node
"use strict";
require("../lib/run.cjs").run("PROGRAM");
