/// <reference lib="webworker" />
/**
 * Opens the app without a network. It keeps the files of one version together, answers for pages and assets only, and leaves
 * every call of the API to the network. A new version waits until the person lets it take over.
 */
declare const self: ServiceWorkerGlobalScope;
/** A digest of all built files. */
declare const __VERSION__: string;
/** The addresses of the files that the app needs, `/` first. */
declare const __FILES__: string[];
/** The paths of the app's pages, which are one document. */
declare const __PAGES__: string[];

const CACHE = `edge-tasks-${__VERSION__}`;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches.open(CACHE).then((cache) => cache.addAll(__FILES__.map((file) => new Request(file, { cache: "reload" })))),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(removeFormerCaches().then(() => self.clients.claim()));
});

self.addEventListener("message", (event) => {
  if (event.data === "activate") event.waitUntil(self.skipWaiting());
});

self.addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== self.location.origin) return;
  if (event.request.mode === "navigate" && __PAGES__.includes(pathname))
    event.respondWith(fromCache("/", event.request));
  else if (__FILES__.includes(pathname) && pathname !== "/") event.respondWith(fromCache(pathname, event.request));
});

/** A browser may empty a cache: then the network is asked. */
async function fromCache(file: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(file)) ?? fetch(request);
}

async function removeFormerCaches(): Promise<void> {
  const former = (await caches.keys()).filter((name) => name.startsWith("edge-tasks-") && name !== CACHE);
  await Promise.all(former.map((name) => caches.delete(name)));
}

export {};
