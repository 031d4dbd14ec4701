// Builds the live page into dist: names with a hash of the content, gzip beside each file, manifest.json for the
// server. With --test it bundles and runs the unit tests instead.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");
const shared = { absWorkingDir: here, bundle: true, logLevel: "warning", target: "es2022" };

/** The packages that ended up in the bundle. */
function packagesOf(metafile) {
  const names = Object.keys(metafile.inputs).map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]);
  return [...new Set(names)].filter((name) => name !== undefined).sort();
}

/** The licenses of everything that ends up in the bundle: its authors ask to be named wherever it goes. */
function licenses(packages) {
  const parts = packages.map((name) => {
    const folder = join(here, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? "" : readFileSync(join(folder, file), "utf8").trim();
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  return `The live page contains this software:\n\n${parts.join("\n" + "-".repeat(72) + "\n\n")}`;
}

function write(name, content) {
  writeFileSync(join(dist, name), content);
  writeFileSync(join(dist, name + ".gz"), gzipSync(content, { level: 9 }));
}

async function page() {
  for (const entry of readdirSync(dist)) {
    if (entry !== ".placeholder") rmSync(join(dist, entry), { recursive: true });
  }
  const result = await build({
    ...shared,
    entryPoints: ["src/main.tsx", "src/style.css"],
    entryNames: "[name]-[hash]",
    chunkNames: "part-[hash]",
    splitting: true,
    metafile: true,
    outdir: "dist",
    format: "esm",
    jsx: "automatic",
    jsxImportSource: "preact",
    minify: true,
    write: false,
  });
  const manifest = { parts: [] };
  for (const file of result.outputFiles) {
    const name = basename(file.path);
    if (name.startsWith("main-")) manifest.script = name;
    else if (name.endsWith(".css")) manifest.style = name;
    else manifest.parts.push(name);
    write(name, file.contents);
    const zipped = readFileSync(join(dist, name + ".gz")).length;
    console.log(`${name}  ${(file.contents.length / 1024).toFixed(1)} KB, gzip ${(zipped / 1024).toFixed(1)} KB`);
  }
  const notice = licenses(packagesOf(result.metafile));
  manifest.licenses = `licenses-${createHash("sha256").update(notice).digest("hex").slice(0, 8)}.txt`;
  write(manifest.licenses, notice);
  writeFileSync(join(dist, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");
}

async function test() {
  const out = mkdtempSync(join(tmpdir(), "switchboard-web-"));
  try {
    const entryPoints = readdirSync(join(here, "src")).filter((name) => name.endsWith(".test.ts"));
    await build({
      ...shared,
      entryPoints: entryPoints.map((name) => "src/" + name),
      outdir: out,
      outExtension: { ".js": ".mjs" },
      format: "esm",
      platform: "node",
    });
    const files = entryPoints.map((name) => join(out, name.replace(/\.ts$/, ".mjs")));
    return spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit" }).status ?? 1;
  } finally {
    rmSync(out, { recursive: true });
  }
}

if (process.argv.includes("--test")) {
  process.exitCode = await test();
} else {
  await page();
}
