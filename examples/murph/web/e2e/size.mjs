/** Fails when everything that a browser may load of the built page is larger than it should be. */
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const limit = 150_000;
const folder = process.argv[2] ?? "dist";
let total = 0;
for (const name of await readdir(join(folder, "assets"))) {
  const size = gzipSync(await readFile(join(folder, "assets", name))).length;
  total += size;
  console.log(`${String(size).padStart(8)} ${name}`);
}
console.log(`${String(total).padStart(8)} bytes with gzip, of ${limit}`);
if (total > limit) process.exit(1);
