/** configurable-http-proxy with a door before it: every request passes the rules first. */

import ConfigurableProxy from "configurable-http-proxy";

import { HEADERS, quoted } from "./pages.mjs";
import { judge } from "./rules.mjs";

/** What clients and other proxies may say of where a request came from; only one of them counts. */
const HEARSAY = /^(forwarded|x-scheme|x-real-ip|x-forwarded-.*)$/;

export class Door extends ConfigurableProxy {
  /** @param names of `namesOf`; the other options are the proxy's own */
  constructor({ names, ...options }) {
    super(options);
    this.names = names;
  }

  handleProxyWeb(req, res) {
    const verdict = judge(this.names, req);
    if (verdict === undefined) {
      this.#tidy(req);
      return super.handleProxyWeb(req, res);
    }
    this.#log(req, verdict);
    if (verdict.location) {
      // Not for good: what is at that name tomorrow is not ours to say.
      res.writeHead(302, { ...HEADERS, Location: verdict.location });
      res.end();
    } else {
      const forget = verdict.forget ? { "Clear-Site-Data": '"cookies"' } : {};
      res.writeHead(verdict.status, { ...HEADERS, ...forget, Connection: "close" });
      res.end(verdict.page);
    }
  }

  handleProxyWs(req, socket, head) {
    const verdict = judge(this.names, req);
    if (verdict === undefined) {
      this.#tidy(req);
      return super.handleProxyWs(req, socket, head);
    }
    this.#log(req, verdict);
    socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  }

  handleProxyError(code, kind, req, res, error) {
    if (kind === "web" && res && !res.headersSent) {
      // The hub's page for errors comes without its headers.
      res.setHeader("Content-Security-Policy", "frame-ancestors 'none'");
      res.setHeader("X-Content-Type-Options", "nosniff");
      res.setHeader("Referrer-Policy", "same-origin");
    }
    return super.handleProxyError(code, kind, req, res, error);
  }

  /**
   * Keep connections to the hub's socket open, as the proxy does with people's servers. Without an
   * agent each request closes its own: where the hub was done before the proxy's last write, that
   * was a 503 ("write EPIPE", once in some hundred quick POSTs).
   */
  proxyOptsForTarget(target) {
    const options = super.proxyOptsForTarget(target);
    options.agent ??= this.httpAgent;
    return options;
  }

  /** Make what the routes and the hub see what the rules have seen. */
  #tidy(req) {
    req.headers.host = req.headers.host.toLowerCase();
    for (const name of Object.keys(req.headers)) {
      if (HEARSAY.test(name) && !(name === "x-forwarded-proto" && this.names.scheme === "https")) {
        delete req.headers[name];
      }
    }
  }

  #log(req, { status = 302 }) {
    this.log.warn("%s %s for %s: not let in", status, req.method, quoted(req.headers.host));
  }
}
