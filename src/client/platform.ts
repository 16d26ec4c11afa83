/**
 * The parts of the web platform that this client uses, with types of its own. So neither this package nor its declarations
 * need the types of a browser, Node or Workers; the platform's own objects are assignable to these types.
 */

export type AbortSignalLike = {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
};

export type ReadableStreamLike = {
  getReader(): {
    read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
    releaseLock(): void;
    cancel(reason?: unknown): Promise<void>;
  };
};

export type ResponseLike = {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: ReadableStreamLike | null;
  text(): Promise<string>;
  json(): Promise<unknown>;
  arrayBuffer(): Promise<ArrayBuffer>;
};

/** What `fetch` is called with. It also holds `signal` and `credentials`, whose types differ between platforms. */
export type RequestLike = { method: string; headers: Record<string, string>; body?: string | ArrayBuffer };

export type Fetch = (url: string, init: RequestLike) => Promise<ResponseLike>;

export type Channel = {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
};

type Platform = {
  fetch: Fetch;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  AbortController: new () => { readonly signal: AbortSignalLike; abort(reason?: unknown): void };
  crypto: { randomUUID(): string };
  atob(base64: string): string;
  /** Only in the pages of a browser. */
  document?: unknown;
  navigator?: { locks?: { request<Result>(name: string, callback: () => Promise<Result>): Promise<Result> } };
  BroadcastChannel?: new (name: string) => Channel;
};

// The global object, for which no types are loaded.
export const platform = globalThis as unknown as Platform;

/** Whether this is the page of a browser: only there cookies and tabs exist. */
export const isPage = platform.document !== undefined;
