/// <reference lib="webworker" />
/** Keeps the files of the first view. It answers no request yet. */
declare const self: ServiceWorkerGlobalScope;
/** A digest of all built files. */
declare const __VERSION__: string;
/** The addresses of the files that the first view needs. */
declare const __FILES__: string[];

const CACHE = `edge-tasks-${__VERSION__}`;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(__FILES__)));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(removeFormerCaches());
});

async function removeFormerCaches(): Promise<void> {
  const former = (await caches.keys()).filter((name) => name !== CACHE);
  await Promise.all(former.map((name) => caches.delete(name)));
}

export {};
