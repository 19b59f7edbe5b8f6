// Prints as JSON what tools of others, written for node, read in a file: node consume.js NODE_MODULES TOOL FILE
"use strict";
const fs = require("fs");
const path = require("path");
const zlib = require("zlib");
const [modules, tool, file] = process.argv.slice(2);
const tools = {
  // DataDog's reader of profile.proto
  pprof() {
    const { Profile } = require(path.join(modules, "pprof-format"));
    const profile = Profile.decode(zlib.gunzipSync(fs.readFileSync(file)));
    return { ...profile, stringTable: profile.stringTable.strings };
  },
};
process.stdout.write(JSON.stringify(tools[tool](), (key, value) => (typeof value === "bigint" ? Number(value) : value)));
