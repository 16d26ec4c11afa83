/** Forms about the account: errors stand beside their field and are announced, and what was typed is kept. */
import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { type Failure, failureOf } from "./words.ts";

type FieldProps = {
  label: string;
  name: string;
  type?: "text" | "email" | "password";
  autocomplete?: string;
  required?: boolean;
  minLength?: number;
  maxLength?: number;
  defaultValue?: string;
  /** Whether the page begins in this field. */
  isFirst?: boolean;
  hint?: string;
  /** What is wrong with it. */
  error?: string | undefined;
};

export function Field({ label, hint, error, isFirst, type = "text", ...input }: FieldProps) {
  const id = useId();
  const element = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (isFirst) element.current?.focus();
  }, []);
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {/* Preact types the input by one type at a time. */}
      <input
        id={id}
        ref={element}
        {...input}
        type={type as "text"}
        aria-invalid={error ? true : undefined}
        aria-describedby={described || undefined}
      />
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

export const PASSWORD_RULES = "8 characters or more, of any kind. Common passwords are refused.";

/** The fields that failures belong to. */
const FIELD_OF: Record<string, string> = {
  INVALID_EMAIL: "email",
  USER_ALREADY_EXISTS: "email",
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: "email",
  INVALID_PASSWORD: "password",
  PASSWORD_TOO_SHORT: "newPassword",
  PASSWORD_TOO_LONG: "newPassword",
  PASSWORD_TOO_COMMON: "newPassword",
};

type FormProps = {
  button: string;
  /** Its sentence is shown when it succeeds. */
  send: (values: Record<string, string>) => Promise<string | undefined>;
  /** @param errorOf what is wrong with a field */
  children?: (errorOf: (name: string) => string | undefined) => ComponentChildren;
  isDangerous?: boolean;
};

export function Form({ button, send, children, isDangerous }: FormProps) {
  const failure = useSignal<Failure | undefined>(undefined);
  const done = useSignal("");
  const isBusy = useSignal(false);
  const form = useRef<HTMLFormElement>(null);
  const wait = useCountdown(failure);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (isBusy.value || !form.current) return;
    const values = Object.fromEntries([...new FormData(form.current)].map(([name, value]) => [name, String(value)]));
    isBusy.value = true;
    failure.value = undefined;
    try {
      done.value = (await send(values)) ?? "";
      if (done.value) form.current?.reset();
    } catch (error) {
      done.value = "";
      failure.value = failureOf(error);
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus());
    } finally {
      isBusy.value = false;
    }
  }

  const field = failure.value && FIELD_OF[failure.value.code];
  const errorOf = (name: string) => (field === name ? failure.value?.text : undefined);
  const hasField = field !== undefined && form.current?.elements.namedItem(field) !== null;
  const isWaiting = wait.value > 0;
  return (
    <form ref={form} onSubmit={submit} noValidate={false}>
      {children?.(errorOf)}
      <div role="alert" class="error">
        {failure.value && !hasField && failure.value.text} {isWaiting && `Try again in ${timeWords(wait.value)}.`}
      </div>
      <output class="done">{done.value}</output>
      <button type="submit" class={isDangerous ? "danger" : "primary"} disabled={isBusy.value || isWaiting}>
        {isBusy.value ? "One moment ..." : button}
      </button>
    </form>
  );
}

/** The seconds that are left to wait, counted down. */
function useCountdown(failure: Signal<Failure | undefined>): Signal<number> {
  const left = useSignal(0);
  const seconds = failure.value?.waitSeconds;
  useEffect(() => {
    const end = performance.now() + (seconds ?? 0) * 1000;
    const count = () => {
      left.value = Math.max(0, Math.ceil((end - performance.now()) / 1000));
      if (left.value === 0) clearInterval(timer);
    };
    const timer = setInterval(count, 500);
    count();
    return () => clearInterval(timer);
  }, [failure.value]);
  return left;
}

function timeWords(seconds: number): string {
  if (seconds < 100) return `${seconds} seconds`;
  return seconds < 5400 ? `${Math.ceil(seconds / 60)} minutes` : `${Math.ceil(seconds / 3600)} hours`;
}
