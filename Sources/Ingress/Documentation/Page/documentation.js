'use strict';

// Fills in the curl examples of the page and sends its requests. The server has written all texts and forms.
const token = document.getElementById('token');
const note = document.getElementById('token-note');

const quote = (text) => "'" + text.replaceAll("'", "'\\''") + "'";

function request(form) {
  const { method, path, body } = form.dataset;
  const query = new URLSearchParams();
  const headers = {};
  let target = path;
  let file = null;
  let text = null;
  for (const field of form.elements) {
    const place = field.dataset.in;
    if (place === 'path') {
      target = target.replace('{' + field.name + '}', encodeURIComponent(field.value));
    } else if (place === 'query' && field.value !== '') {
      query.append(field.name, field.value);
    } else if (place === 'header' && field.value !== '') {
      headers[field.name] = field.value;
    } else if (place === 'file') {
      file = field.files[0] ?? null;
    } else if (place === 'body') {
      text = field.value;
    }
  }
  if (form.dataset.token === 'yes' && token.value.trim() !== '') {
    headers.Authorization = 'Bearer ' + token.value.trim();
  }
  if (body === 'json') headers['Content-Type'] = 'application/json';
  const url = location.origin + target + (query.size > 0 ? '?' + query : '');
  return { method, url, headers, text, file };
}

function curl(form) {
  const { method, url, headers, text, file } = request(form);
  const parts = ['curl -i ' + (method === 'GET' ? '' : '-X ' + method + ' ') + quote(url)];
  for (const [name, value] of Object.entries(headers)) parts.push('-H ' + quote(name + ': ' + value));
  if (form.dataset.body === 'file') parts.push('-F ' + quote('file=@' + (file?.name ?? 'picture.png')));
  if (text !== null) parts.push('-d ' + quote(text));
  return parts.join(' \\\n  ');
}

function pretty(text, type) {
  if (!type.includes('json')) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

async function send(form) {
  const output = form.parentElement.querySelector('output');
  const button = form.querySelector('button');
  const { method, url, headers, text, file } = request(form);
  let body;
  if (form.dataset.body === 'json') body = text;
  if (form.dataset.body === 'file' && file !== null) {
    body = new FormData();
    body.append('file', file);
  }
  button.disabled = true;
  output.textContent = 'Waiting for the answer …';
  try {
    const response = await fetch(url, { method, headers, body, cache: 'no-store' });
    const answer = await response.text();
    const lines = [response.status + ' ' + response.statusText];
    for (const [name, value] of response.headers) lines.push(name + ': ' + value);
    output.textContent = lines.join('\n') + '\n\n' + pretty(answer, response.headers.get('Content-Type') ?? '');
    output.className = response.ok ? '' : 'bad';
    keepToken(response, answer);
  } catch (error) {
    output.textContent = 'There was no answer: ' + error.message;
    output.className = 'bad';
  }
  button.disabled = false;
  button.focus();
}

// A registration, a login or a refresh has a new token, with which the other operations can be tried at once.
function keepToken(response, answer) {
  if (!response.ok || !answer.includes('"accessToken"')) return;
  token.value = JSON.parse(answer).accessToken;
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
