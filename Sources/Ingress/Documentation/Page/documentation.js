'use strict';

// Fills in the curl examples of the page and sends its requests. The server has written all texts and forms.
const token = document.getElementById('token');
const note = document.getElementById('token-note');

// curl reads a semicolon or a comma in a file name as the end of the name, unless the name is in double quotes.
const quoteFile = (name) => '"' + name.replace(/["\\]/g, '\\$&') + '"';

const quote = (text) => "'" + text.replaceAll("'", "'\\''") + "'";

function request(form) {
  const { method, path, body } = form.dataset;
  const query = new URLSearchParams();
  const headers = {};
  const parts = [];
  let target = path;
  let text = null;
  for (const field of form.elements) {
    const place = field.dataset.in;
    if (place === 'body') {
      text = field.value;
    } else if (place === 'file') {
      parts.push({ name: field.name, file: field.files[0] ?? null });
    } else if (field.value === '') {
      // A parameter of the path without a value stays visible as {id}. The browser does not send such a form.
    } else if (place === 'path') {
      target = target.replace('{' + field.name + '}', encodeURIComponent(field.value));
    } else if (place === 'query') {
      query.append(field.name, field.value);
    } else if (place === 'header') {
      headers[field.name] = field.value;
    } else if (place === 'part') {
      parts.push({ name: field.name, text: field.value });
    }
  }
  if (form.dataset.token === 'yes' && token.value.trim() !== '') {
    headers.Authorization = 'Bearer ' + token.value.trim();
  }
  if (body === 'json') headers['Content-Type'] = 'application/json';
  const url = location.origin + target + (query.size > 0 ? '?' + query : '');
  return { method, url, headers, text, parts };
}

function curl(form) {
  const { method, url, headers, text, parts } = request(form);
  const words = ['curl -i ' + (method === 'GET' ? '' : '-X ' + method + ' ') + quote(url)];
  for (const [name, value] of Object.entries(headers)) words.push('-H ' + quote(name + ': ' + value));
  for (const part of parts) {
    // --form-string and --data-raw do not read a file if the text begins with @.
    words.push(
      'file' in part
        ? '-F ' + quote(part.name + '=@' + quoteFile(part.file?.name ?? 'picture.png'))
        : '--form-string ' + quote(part.name + '=' + part.text));
  }
  if (text !== null) words.push('--data-raw ' + quote(text));
  return words.join(' \\\n  ');
}

function isJSON(response) {
  return /^application\/([^;]+\+)?json\b/.test(response.headers.get('Content-Type') ?? '');
}

// Returns the JSON of a response, or undefined if its content is something else.
function parse(response, text) {
  if (!isJSON(response)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function send(form) {
  const button = form.querySelector('button');
  // The button stays enabled, because a disabled button loses the focus.
  if (button.getAttribute('aria-busy') === 'true') return;
  button.setAttribute('aria-busy', 'true');
  const output = form.parentElement.querySelector('output');
  const detail = form.parentElement.querySelector('.response');
  const { method, url, headers, text, parts } = request(form);
  let body;
  if (form.dataset.body === 'json') body = text;
  if (form.dataset.body === 'form') {
    body = new FormData();
    for (const part of parts) if (part.file !== null) body.append(part.name, part.file ?? part.text);
  }
  output.textContent = 'Waiting for the response …';
  detail.hidden = true;
  let response;
  let content;
  try {
    response = await fetch(url, { method, headers, body, cache: 'no-store' });
    content = await response.text();
  } catch (error) {
    output.textContent = 'There was no response: ' + error.message;
    output.className = 'bad';
    return;
  } finally {
    button.removeAttribute('aria-busy');
  }
  const json = parse(response, content);
  const lines = [];
  for (const [name, value] of response.headers) lines.push(name + ': ' + value);
  detail.textContent = lines.join('\n') + '\n\n' + (json === undefined ? content : JSON.stringify(json, null, 2));
  detail.hidden = false;
  output.textContent = response.status + ' ' + response.statusText;
  output.className = response.ok ? '' : 'bad';
  if (response.ok && form.dataset.session === 'yes') keepToken(json);
}

// A registration, a login or a refresh has a new token, with which the other operations can be tried at once.
function keepToken(json) {
  if (typeof json?.accessToken !== 'string') return;
  token.value = json.accessToken;
  note.textContent = 'The token of the last login is filled in.';
  update();
}

function update() {
  for (const form of document.querySelectorAll('main form')) {
    form.parentElement.querySelector('.curl').textContent = curl(form);
  }
}

document.addEventListener('input', update);
document.addEventListener('submit', (event) => {
  event.preventDefault();
  if (event.target.closest('main')) send(event.target);
});
if (location.hash) document.getElementById(location.hash.slice(1))?.setAttribute('open', '');
update();
