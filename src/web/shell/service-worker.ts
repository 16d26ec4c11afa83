/** Registers the service worker, so that the app opens without a network, and tells when a new version is ready. */
import { signal } from "@preact/signals";

/** Whether a newer version waits for the page to load again. */
export const updateIsReady = signal(false);

type TrustedTypes = {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): { createScriptURL(url: string): string };
};

const SCRIPT = "/service-worker.js";
const HOUR_MS = 3_600_000;

export async function registerServiceWorker(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  try {
    const registration = await navigator.serviceWorker.register(scriptUrl(), { updateViaCache: "none" });
    if (registration.waiting) updateIsReady.value = true;
    registration.addEventListener("updatefound", () => watch(registration.installing));
    setInterval(() => void registration.update().catch(() => {}), HOUR_MS);
  } catch {
    // Without it the app works with a network only, as in a private window.
  }
}

/** Lets the new version take over, and loads the page again. */
export async function reloadForUpdate(): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration();
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  if (registration?.waiting) registration.waiting.postMessage("activate");
  else location.reload();
}

function watch(worker: ServiceWorker | null): void {
  worker?.addEventListener("statechange", () => {
    // Without a controller it is the first version: there is nothing to replace.
    if (worker.state === "installed" && navigator.serviceWorker.controller) updateIsReady.value = true;
  });
}

/** The one address that scripts may be loaded from by code (Trusted Types). */
function scriptUrl(): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  const policy = trustedTypes?.createPolicy("service-worker", {
    createScriptURL(url) {
      if (url !== SCRIPT) throw new TypeError("Only the service worker is loaded by code.");
      return url;
    },
  });
  return policy ? policy.createScriptURL(SCRIPT) : SCRIPT;
}
