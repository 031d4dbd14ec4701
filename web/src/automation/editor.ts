// The JSON editor: CodeMirror, loaded when somebody edits.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { json, jsonParseLinter } from "@codemirror/lang-json";
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, linter, lintGutter } from "@codemirror/lint";
import { EditorState, StateEffect } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { Trouble } from "./api";
import { placeOf } from "./pointer";

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--busy)" },
  { tag: tags.string, color: "var(--good)" },
  { tag: tags.number, color: "var(--warn)" },
  { tag: [tags.bool, tags.null], color: "var(--wrap)" },
]);

const look = EditorView.theme({
  "&": { backgroundColor: "var(--panel)", color: "var(--text)", fontSize: "13px", height: "100%" },
  ".cm-content": { fontFamily: "var(--mono)", caretColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--raised)", color: "var(--soft)", border: "0" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--accent) 6%, transparent)" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-1px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 25%, transparent)",
  },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-foldPlaceholder": { backgroundColor: "var(--raised)", color: "var(--soft)", border: "1px solid var(--line)" },
  ".cm-tooltip": { backgroundColor: "var(--panel)", color: "var(--text)", border: "1px solid var(--line-strong)" },
  ".cm-matchingBracket": { backgroundColor: "var(--busy-tint)" },
});

/** Says that there are other problems to show. */
const again = StateEffect.define<null>();

/** What a page holds of an editor. */
export interface Editor {
  set(text: string): void;
  mark(troubles: readonly Trouble[]): void;
  focus(): void;
  close(): void;
}

/** Opens an editor in a shadow. changed hears what people type, and nothing else. */
export function openEditor(parent: ShadowRoot, label: string, text: string, changed: (text: string) => void): Editor {
  let own = false;
  let marked: readonly Trouble[] = [];
  const syntax = jsonParseLinter();
  const lint = linter((view) => {
    if (view.state.doc.length === 0) return [];
    const broken = syntax(view);
    if (broken.length > 0) return broken;
    const doc = view.state.doc.toString();
    return marked.map(({ path, message }): Diagnostic => {
      const [from, to] = placeOf(doc, path);
      return { from, to, severity: "error", message };
    });
  }, { delay: 150, needsRefresh: (u) => u.transactions.some((t) => t.effects.some((e) => e.is(again))) });
  const view = new EditorView({
    parent,
    root: parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(), foldGutter(), history(), drawSelection(), indentOnInput(), bracketMatching(), highlightActiveLine(),
        json(), syntaxHighlighting(colours), lint, lintGutter(), look,
        EditorView.lineWrapping, EditorView.contentAttributes.of({ "aria-label": label }),
        keymap.of([...defaultKeymap, ...historyKeymap, ...foldKeymap, indentWithTab]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !own) changed(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    set(next) {
      if (next === view.state.doc.toString()) return;
      own = true;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } });
      own = false;
    },
    mark(troubles) {
      if (troubles.length === 0 && marked.length === 0) return;
      marked = troubles;
      view.dispatch({ effects: again.of(null) });
    },
    focus: () => view.focus(),
    close: () => view.destroy(),
  };
}
