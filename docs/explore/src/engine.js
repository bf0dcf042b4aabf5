// The engine from the page's side: lanes, each a worker that answers one question at a time.

async function unpacked(base64) {
  const packed = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** { code, wasm }: the text of the worker, and the module, gzipped, in base64. */
export async function loadEngine({ code, wasm }) {
  const module = await WebAssembly.compile(await unpacked(wasm));
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  return () => new Lane(module, address);
}

class Lane {
  constructor(module, address) {
    this.module = module;
    this.address = address;
    this.waiting = new Map();
    this.current = null;
    this.last = 0;
    this.start();
  }
  start() {
    this.worker = new Worker(this.address);
    this.ready = false;
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.postMessage({ module: this.module });
  }
  /**
   * Asks, and answers with an object, or null where a later question of the same key came between.
   * A question that is being answered is let go where that takes long.
   */
  ask(key, question, values, onProgress) {
    this.drop((other) => other === key);
    return new Promise((resolve) => {
      this.waiting.set(key, { key, id: ++this.last, question, values, resolve, onProgress });
      this.next();
    });
  }
  /** Forgets questions whose key `chosen` says. */
  drop(chosen) {
    for (const [key, asked] of this.waiting)
      if (chosen(key)) {
        this.waiting.delete(key);
        asked.resolve(null);
      }
    if (!this.current || !chosen(this.current.key)) return;
    this.current.resolve(null);
    this.current.resolve = () => {};
    // A new worker is there in some 20 ms.
    const left = 60 - (performance.now() - this.current.began);
    const dropped = this.current;
    setTimeout(() => {
      if (this.current !== dropped) return;
      this.worker.terminate();
      this.current = null;
      this.start();
    }, Math.max(0, left));
  }
  next() {
    if (!this.ready || this.current || this.waiting.size === 0) return;
    const [key, asked] = this.waiting.entries().next().value;
    this.waiting.delete(key);
    this.current = { ...asked, began: performance.now() };
    this.worker.postMessage({ id: asked.id, question: asked.question, values: asked.values });
  }
  hear(data) {
    if (data.ready) this.ready = true;
    else if (!this.current || data.id !== this.current.id) return;
    else if (data.fraction !== undefined) {
      this.current.onProgress?.(data.fraction);
      return;
    } else {
      const { resolve } = this.current;
      this.current = null;
      if (data.broken) {
        this.worker.terminate();
        this.start();
        resolve({ error: { line: `the engine stopped: ${data.broken}`, field: "" } });
      } else {
        resolve(JSON.parse(data.answer));
      }
    }
    this.next();
  }
}
