// A field of JSON: the editor once it is loaded, a plain field until then.
import { useEffect, useRef } from "preact/hooks";
import type { Trouble } from "./api";
import type { Editor } from "./editor";

interface Props {
  label: string;
  text: string;
  changed: (text: string) => void;
  troubles?: readonly Trouble[];
  tall?: boolean;
}

export function JSONField(props: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plain = useRef<HTMLTextAreaElement>(null);
  const editor = useRef<Editor | undefined>(undefined);
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    let gone = false;
    void import("./editor").then(({ openEditor }) => {
      if (gone || place.current === null) return;
      const typing = document.activeElement === plain.current;
      const { label, text } = latest.current;
      // In a shadow its styles are sheets that scripts make: a style element would be against the page's policy.
      const shadow = place.current.shadowRoot ?? place.current.attachShadow({ mode: "open" });
      editor.current = openEditor(shadow, label, text, (next) => latest.current.changed(next));
      editor.current.mark(latest.current.troubles ?? []);
      if (typing) editor.current.focus();
    });
    return () => {
      gone = true;
      editor.current?.close();
      editor.current = undefined;
    };
  }, []);
  useEffect(() => editor.current?.set(props.text), [props.text]);
  useEffect(() => editor.current?.mark(props.troubles ?? []), [props.troubles]);
  return (
    <div class={`json-field${props.tall === true ? " tall" : ""}`} ref={place}>
      <textarea ref={plain} aria-label={props.label} spellcheck={false} value={props.text}
        onInput={(e) => props.changed(e.currentTarget.value)} />
    </div>
  );
}
