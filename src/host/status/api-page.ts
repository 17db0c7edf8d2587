import * as v from 'valibot';

const schemaSchema = v.looseObject({});
const contentSchema = v.optional(v.record(v.string(), v.looseObject({ schema: v.optional(schemaSchema) })));
const operationSchema = v.looseObject({
  summary: v.optional(v.string()),
  description: v.optional(v.string()),
  tags: v.optional(v.array(v.string()), []),
  parameters: v.optional(
    v.array(
      v.looseObject({
        name: v.string(),
        in: v.string(),
        required: v.optional(v.boolean()),
        schema: v.optional(schemaSchema),
      }),
    ),
    [],
  ),
  requestBody: v.optional(v.looseObject({ content: contentSchema })),
  responses: v.optional(
    v.record(v.string(), v.looseObject({ description: v.optional(v.string()), content: contentSchema })),
    {},
  ),
});
const documentSchema = v.looseObject({
  info: v.looseObject({ title: v.string(), version: v.string(), description: v.optional(v.string(), '') }),
  paths: v.record(v.string(), v.record(v.string(), operationSchema)),
});

type Operation = v.InferOutput<typeof operationSchema>;

/** The OpenAPI document as one page of plain HTML: no script, nothing from elsewhere, so that it works offline. */
export function apiPage(document: unknown): string {
  const { info, paths } = v.parse(documentSchema, document);
  const operations = Object.entries(paths).flatMap(([path, byMethod]) =>
    Object.entries(byMethod).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))].toSorted();
  const contents = tags.map((tag) => `<a href="#${escape(tag)}">${escape(tag)}</a>`).join(' ');
  const sections = tags.map((tag) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(tag));
    return `<h2 id="${escape(tag)}">${escape(tag)}</h2>\n${own.map(operationHtml).join('\n')}`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(info.title)} API</title><style>${style}</style></head>
<body><h1>${escape(info.title)} API <small>${escape(info.version)}</small></h1>
<p>${escape(info.description)} The document itself is at <a href="/openapi.json">/openapi.json</a>.</p>
<nav>${contents}</nav>
${sections.join('\n')}
</body></html>
`;
}

/** For the page's one inline style. */
export const apiPageSecurityPolicy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const style =
  'body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}' +
  'code,pre{font:13px/1.4 ui-monospace,monospace}pre{background:#8881;padding:.6rem;overflow:auto}' +
  'details{border:1px solid #8884;border-radius:4px;margin:.4rem 0;padding:.3rem .6rem}' +
  'summary{cursor:pointer}summary b{display:inline-block;min-width:4rem}nav a{margin-right:1rem}' +
  'td,th{text-align:left;padding:.1rem .8rem .1rem 0;vertical-align:top}:root{color-scheme:light dark}';

function operationHtml({ path, method, operation }: { path: string; method: string; operation: Operation }): string {
  const head = `<b>${method.toUpperCase()}</b> <code>${escape(path)}</code> ${escape(operation.summary ?? '')}`;
  const parts = [
    operation.description === undefined ? '' : `<p>${escape(operation.description)}</p>`,
    parametersHtml(operation),
    ...bodies('Body', operation.requestBody?.content),
    ...Object.entries(operation.responses).flatMap(([status, response]) => [
      `<h4>${escape(status)} ${escape(response.description ?? '')}</h4>`,
      ...(status.startsWith('2') ? bodies('', response.content) : []),
    ]),
  ];
  return `<details><summary>${head}</summary>${parts.join('')}</details>`;
}

function parametersHtml({ parameters }: Operation): string {
  if (parameters.length === 0) return '';
  const rows = parameters.map(({ name, in: place, required, schema }) => {
    const need = required === true ? 'required' : '';
    return `<tr><td><code>${escape(name)}</code></td><td>${escape(place)}</td><td>${need}</td><td><code>${escape(JSON.stringify(schema ?? {}))}</code></td></tr>`;
  });
  return `<table>${rows.join('')}</table>`;
}

function bodies(title: string, content: v.InferOutput<typeof contentSchema>): string[] {
  return Object.entries(content ?? {}).map(([media, { schema }]) => {
    const shown = schema === undefined ? '' : `<pre>${escape(JSON.stringify(schema, null, 2))}</pre>`;
    return `<p>${title} <code>${escape(media)}</code></p>${shown}`;
  });
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
