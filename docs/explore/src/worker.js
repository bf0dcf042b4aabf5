// Runs the engine beside the page, so that the page never waits. The code of emscripten's module
// stands before this one in the same text.
let engine = null;
let asking = 0;

self.onmessage = async ({ data }) => {
  if (data.module) {
    engine = await self.riskcurveEngine({
      instantiateWasm(imports, done) {
        WebAssembly.instantiate(data.module, imports).then((instance) => done(instance));
        return {};
      },
      onProgress: (fraction) => self.postMessage({ id: asking, fraction }),
    });
    self.postMessage({ ready: true });
    return;
  }
  asking = data.id;
  const types = data.values.map((value) => (typeof value === "number" ? "number" : "string"));
  try {
    const answer = engine.ccall(data.question, "string", types, data.values);
    self.postMessage({ id: data.id, answer });
  } catch (error) {
    self.postMessage({ id: data.id, broken: String(error) });
  }
};
