#!/usr/bin/env python3
"""Uses the page /docs in headless Chromium, as a person with a keyboard does, and checks what the page shows.

    docs_page.py URL PICTURE [SCREENSHOT]

URL is the address of an ingress, PICTURE a picture to upload. SCREENSHOT is a PNG to write: the page in dark mode. The
program exits with 0 if every check succeeds. It needs chromium (Debian: chromium).
"""

import itertools
import json
import base64
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid

LIMIT = 60  # seconds for each wait
CONTROL, SHIFT = 2, 8  # modifiers of the DevTools protocol


class Browser:
    """A Chromium with one page. Commands and events of the DevTools protocol travel through a pipe."""

    def __init__(self, folder):
        self.ids = itertools.count(1)
        self.events = []
        self.buffer = b""
        self.session = None
        commands, self.output = os.pipe()
        self.input, events = os.pipe()

        def connect():
            # Chromium reads commands from descriptor 3 and writes events to descriptor 4.
            for number, descriptor in ((103, commands), (104, events)):
                os.dup2(descriptor, number)
            os.dup2(103, 3)
            os.dup2(104, 4)

        self.process = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--remote-debugging-pipe", "--no-first-run", "--disable-background-networking",
             f"--user-data-dir={folder}"],
            preexec_fn=connect, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(commands)
        os.close(events)
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "DOM"):
            self.send(f"{domain}.enable")

    def send(self, method, **parameters):
        """Send a command and return its result."""
        number = next(self.ids)
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.output, json.dumps(message).encode() + b"\0")
        while True:
            received = self.receive()
            if received.get("id") == number:
                if "error" in received:
                    raise RuntimeError(f"{method}: {received['error']}")
                return received["result"]
            self.events.append(received)

    def receive(self):
        while b"\0" not in self.buffer:
            part = os.read(self.input, 1 << 16)
            if not part:
                raise RuntimeError("Chromium has exited")
            self.buffer += part
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def value(self, expression):
        """Return the value of a JavaScript expression in the page."""
        result = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait(self, expression):
        """Wait until a JavaScript expression is true."""
        end = time.monotonic() + LIMIT
        while not self.value(expression):
            if time.monotonic() > end:
                raise RuntimeError(f"not true within {LIMIT} s: {expression}")
            time.sleep(0.05)

    def press(self, key, modifiers=0):
        """Press a key: Tab, Enter, or a letter."""
        code = {"Tab": 9, "Enter": 13}.get(key, ord(key[0].upper()))
        event = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        if key == "Enter":
            event["text"] = "\r"
        if modifiers == CONTROL:
            event["commands"] = ["selectAll"]
        self.send("Input.dispatchKeyEvent", type="keyDown", **event)
        self.send("Input.dispatchKeyEvent", type="keyUp", **{name: event[name] for name in ("key", "code")})

    def tab_to(self, selector):
        """Press Tab until an element has the focus."""
        for _ in range(300):
            self.press("Tab")
            if self.value(f"document.activeElement.matches({json.dumps(selector)})"):
                return
        raise RuntimeError(f"Tab does not reach {selector}")

    def close(self):
        self.process.terminate()
        self.process.wait()


def check(holds, text):
    if not holds:
        sys.exit(f"not true: {text}")
    print(f"  {text}")


def contrast(first, second):
    """Return the contrast of two colours such as rgb(1, 2, 3) (WCAG 2.2)."""
    def luminance(colour):
        parts = [int(part) / 255 for part in colour[colour.index("(") + 1:-1].split(",")[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def use(page, url, picture, screenshot):
    with urllib.request.urlopen(f"{url}/openapi.json") as response:
        document = json.load(response)
    count = sum(len(path) for path in document["paths"].values())

    page.send("Page.navigate", url=f"{url}/docs")
    page.wait("document.readyState === 'complete' && typeof curl === 'function'")
    check(page.value("document.querySelectorAll('main form').length") == count, f"{count} operations have a form")
    check(
        page.value("[...document.querySelectorAll('input, textarea')].every((field) => field.labels.length > 0)"),
        "every field has a label")

    name = "docs-" + uuid.uuid4().hex[:12]
    account = {"username": name, "email": f"{name}@example.org", "password": uuid.uuid4().hex}
    page.tab_to("#identityRegister > summary")
    page.press("Enter")
    check(page.value("document.getElementById('identityRegister').open"), "Enter opens an operation")
    page.tab_to("#identityRegister-body")
    page.press("a", modifiers=CONTROL)
    page.send("Input.insertText", text=json.dumps(account))
    page.tab_to("#identityRegister button")
    page.press("Enter")
    page.wait("document.querySelector('#identityRegister output').textContent.startsWith('201')")
    check(True, "a registration with the keyboard shows 201")
    token = page.value("document.getElementById('token').value")
    check(len(token) > 50, "the token is filled in")
    check(
        page.value("document.activeElement.matches('#identityRegister button')"),
        "the focus stays on the button")

    def text(operation, selector):
        return page.value(f"document.querySelector('#{operation} {selector}').textContent")

    def submit(operation, status):
        page.value(f"document.querySelector('#{operation} form').requestSubmit()")
        page.wait(f"document.querySelector('#{operation} output').textContent.startsWith('{status}')")
        return text(operation, ".response")

    check(text("identityRegister", "output") == "201 Created", "only the status line is announced")
    for path, methods in document["paths"].items():
        operation = methods.get("get")
        if operation is None or any(parameter.get("required") for parameter in operation.get("parameters", [])):
            continue
        submit(operation["operationId"], 200)
        check(
            page.value("document.getElementById('token').value") == token,
            f"GET {path} shows 200 and leaves the token as it is")
    check("Warren API</h1>" in text("documentation", ".response"), "the content of a page is shown as text")

    check("application/problem+json" in submit("identityRegister", 409), "a second registration shows the problem")
    check(page.value("document.querySelector('#identityRegister output').className") == "bad", "errors are marked")
    page.value("document.getElementById('postCreate-body').value = JSON.stringify({content: \"It's <b>here</b>\"})")
    page.value("document.getElementById('postCreate-body').dispatchEvent(new Event('input', {bubbles: true}))")
    response = submit("postCreate", 201)
    check("location: /v1/posts/" in response, "a creation shows the Location")
    check("It's <b>here</b>" in response, "a response is shown as text")
    command = page.value("document.querySelector('#postCreate .curl').textContent")
    output = subprocess.run(["bash", "-c", command], capture_output=True, text=True).stdout
    check(" 201 " in output.splitlines()[0], "the curl example does the same")
    page.value("document.getElementById('postList-limit').value = '1'")
    check('"nextCursor"' in submit("postList", 200), "a list with a parameter shows the page")
    root = page.send("DOM.getDocument")["root"]["nodeId"]
    field = page.send("DOM.querySelector", nodeId=root, selector="#mediaUpload-file")["nodeId"]
    with tempfile.TemporaryDirectory() as folder:
        # curl reads a comma or a semicolon as the end of a name that is not in quotes.
        name = 'a,b;"c.png'
        shutil.copy(picture, os.path.join(folder, name))
        page.send("DOM.setFileInputFiles", nodeId=field, files=[os.path.join(folder, name)])
        page.value("document.getElementById('mediaUpload-description').value = '@A rabbit'")
        response = submit("mediaUpload", 201)
        check('"contentType"' in response, "an upload shows the picture")
        check('"description": "@A rabbit"' in response, "an upload has the description")
        page.value(
            "document.getElementById('mediaUpload-description').dispatchEvent(new Event('input', {bubbles: true}))")
        command = text("mediaUpload", ".curl")
        check("--form-string 'description=@A rabbit'" in command, "so has its curl example")
        check(r"""-F 'file=@"a,b;\"c.png"'""" in command, "the curl example has the name of the file in quotes")
        output = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=folder).stdout
        check("HTTP/1.1 201" in output, "the curl example uploads the file")
    check("/v1/posts/{id}'" in text("postGet", ".curl"), "the curl example of an empty field shows the parameter")
    check("--data-raw '" in text("postCreate", ".curl"), "the curl example does not read a body that begins with @")

    def count_requests():
        page.value("1")  # receives the last events
        return sum(event["method"] == "Network.requestWillBeSent" for event in page.events)

    before = count_requests()
    page.value("for (const _ of [1, 2]) document.querySelector('#live form').requestSubmit()")
    check(
        page.value("document.querySelector('#live button').matches('[aria-busy=true]:not(:disabled)')"),
        "a button stays enabled while its request is sent")
    page.wait("!document.querySelector('#live button').hasAttribute('aria-busy')")
    check(count_requests() - before == 1, "a form sends one request at a time")

    page.send("Emulation.setDeviceMetricsOverride", width=800, height=800, deviceScaleFactor=1, mobile=False)
    page.value("document.querySelectorAll('main details').forEach((part) => { part.open = true; })")
    page.value("scrollTo(0, document.body.scrollHeight)")
    page.value("[...document.querySelectorAll('main summary')].at(-1).focus()")
    for _ in range(40):
        page.press("Tab", modifiers=SHIFT)
        check(
            page.value(
                "document.activeElement.getBoundingClientRect().top >= "
                "document.getElementById('session').getBoundingClientRect().bottom"),
            f"the token bar does not hide {page.value('document.activeElement.id || document.activeElement.tagName')}")
    page.send("Emulation.setDeviceMetricsOverride", width=800, height=500, deviceScaleFactor=1, mobile=False)
    check(
        page.value("getComputedStyle(document.getElementById('session')).position") == "static",
        "on a low screen the token bar scrolls with the page")

    colours = {}
    for scheme in ("light", "dark"):
        page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        colours[scheme] = page.value("getComputedStyle(document.body).backgroundColor")
        for selector in ("body", ".muted", "a[href='/openapi.json']", "output.bad"):
            style = f"getComputedStyle(document.querySelector({json.dumps(selector)})).color"
            ratio = contrast(page.value(style), colours[scheme])
            check(ratio >= 4.5, f"{selector} has the contrast {ratio:.1f} in the {scheme} scheme")
    check(colours["light"] != colours["dark"], "the dark scheme has other colours")
    if screenshot:
        page.value("scrollTo(0, 0)")
        data = page.send("Page.captureScreenshot", format="png")["data"]
        with open(screenshot, "wb") as file:
            file.write(base64.b64decode(data))
    page.send("Emulation.setDeviceMetricsOverride", width=360, height=640, deviceScaleFactor=1, mobile=True)
    check(page.value("document.documentElement.scrollWidth") <= 360, "the page fits a screen of 360 pixels")

    page.value("1")  # receives the last events
    requests = [
        event["params"]["request"]["url"] for event in page.events if event["method"] == "Network.requestWillBeSent"]
    foreign = [address for address in requests if not address.startswith(f"{url}/")]
    check(not foreign, f"all {len(requests)} requests go to the ingress{': ' if foreign else ''}{' '.join(foreign)}")
    faults = [
        json.dumps(event["params"]) for event in page.events
        if event["method"] == "Runtime.exceptionThrown"
        or (event["method"] == "Log.entryAdded" and event["params"]["entry"]["source"] != "network")]
    check(not faults, f"the browser reports no error {' '.join(faults)}")


def main():
    url, picture = sys.argv[1:3]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        page = Browser(folder)
        try:
            use(page, url.rstrip("/"), picture, sys.argv[3] if len(sys.argv) > 3 else None)
        finally:
            page.close()


if __name__ == "__main__":
    main()
