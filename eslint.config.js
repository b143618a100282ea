// What every script here is held to: eslint's recommended rules and a few more. How to run it: .ci/run.

const { createRequire } = require("node:module");

const js = createRequire(process.argv[1])("@eslint/js"); // beside the eslint that runs, wherever that was installed

const named = (names) => Object.fromEntries(names.split(/\s+/).map((name) => [name, "readonly"]));
const shared = named("Blob WebAssembly atob TextDecoder TextEncoder URL URLSearchParams clearTimeout console globalThis performance setTimeout");
const browser = named(`Element Image ImageData ResizeObserver Worker WorkerGlobalScope addEventListener cancelAnimationFrame createImageBitmap document
  getComputedStyle innerHeight location matchMedia navigator removeEventListener requestAnimationFrame self
  sessionStorage window`);
const node = named("Buffer process structuredClone");

module.exports = [
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: shared },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-unused-vars": "error",
      "no-var": "error",
      "prefer-const": ["error", { destructuring: "all" }],
    },
  },
  { files: ["vizvit/**/*.js"], languageOptions: { globals: browser } },
  { files: ["tests/js/*.mjs"], languageOptions: { globals: node } },
  { files: ["eslint.config.js"], languageOptions: { sourceType: "commonjs", globals: node } },
];
