#include "serve/openapi.h"

namespace lanthorn {

std::string_view docs_page() {
  return R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>lanthorn</title>
<link rel="icon" href="data:,">
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff; }
details { border: 1px solid #bbb; border-radius: 6px; margin: .6rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; }
b.method { display: inline-block; min-width: 3.5rem; color: #0a5; }
textarea { width: 100%; min-height: 7rem; font: 14px monospace; box-sizing: border-box; }
pre { background: #f3f3f3; padding: .6rem; overflow: auto; max-height: 24rem; }
button { font: inherit; margin: .3rem .3rem .3rem 0; }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #1b1b1b; } pre { background: #2a2a2a; } }
</style>
</head>
<body>
<h1>lanthorn</h1>
<p>What this server answers. The document is <a href="/openapi.json">/openapi.json</a>.</p>
<main id="paths"></main>
<script>
const element = (tag, text, parent) => {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  parent.append(made);
  return made;
};
const show = (path, method, operation) => {
  const block = element('details', '', document.getElementById('paths'));
  const head = element('summary', '', block);
  element('b', method.toUpperCase(), head).className = 'method';
  element('code', path, head);
  element('span', ' ' + operation.summary, head);
  const body = operation.requestBody && operation.requestBody.content['application/json'];
  if (body) {
    element('h2', 'Body', block);
    element('pre', JSON.stringify(body.schema, null, 1), block);
  }
  element('h2', 'Answers', block);
  const list = element('ul', '', block);
  for (const [status, answer] of Object.entries(operation.responses)) element('li', status + ': ' + answer.description, list);
  const start = element('button', 'Try it out', block);
  start.onclick = () => {
    start.disabled = true;
    let text = null;
    if (body) {
      const label = element('label', 'Request body', block);
      text = element('textarea', '', label);
      text.value = '{"data": [[]]}';
    }
    const send = element('button', 'Execute', block);
    const result = element('pre', '', block);
    result.setAttribute('aria-live', 'polite');
    send.onclick = async () => {
      result.textContent = 'waiting';
      const options = body ? {method, headers: {'Content-Type': 'application/json'}, body: text.value} : {method};
      try {
        const reply = await fetch(path, options);
        result.textContent = reply.status + '\n' + await reply.text();
      } catch (problem) {
        result.textContent = String(problem);
      }
    };
  };
};
fetch('/openapi.json').then(reply => reply.json()).then(api => {
  for (const [path, methods] of Object.entries(api.paths))
    for (const [method, operation] of Object.entries(methods)) show(path, method, operation);
});
</script>
</body>
</html>
)html";
}

}  // namespace lanthorn
