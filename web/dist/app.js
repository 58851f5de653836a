var __create = Object.create;
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __getProtoOf = Object.getPrototypeOf;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __commonJS = (cb, mod) => function __require() {
  try {
    return mod || (0, cb[__getOwnPropNames(cb)[0]])((mod = { exports: {} }).exports, mod), mod.exports;
  } catch (e4) {
    throw mod = 0, e4;
  }
};
var __export = (target2, all2) => {
  for (var name in all2)
    __defProp(target2, name, { get: all2[name], enumerable: true });
};
var __copyProps = (to, from, except, desc) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key3 of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key3) && key3 !== except)
        __defProp(to, key3, { get: () => from[key3], enumerable: !(desc = __getOwnPropDesc(from, key3)) || desc.enumerable });
  }
  return to;
};
var __toESM = (mod, isNodeMode, target2) => (target2 = mod != null ? __create(__getProtoOf(mod)) : {}, __copyProps(
  // If the importer is in node compatibility mode or this is not an ESM
  // file that has been converted to a CommonJS file using a Babel-
  // compatible transform (i.e. "__esModule" has not been set), then set
  // "default" to the CommonJS "module.exports" for node compatibility.
  isNodeMode || !mod || !mod.__esModule ? __defProp(target2, "default", { value: mod, enumerable: true }) : target2,
  mod
));

// node_modules/requires-port/index.js
var require_requires_port = __commonJS({
  "node_modules/requires-port/index.js"(exports, module) {
    "use strict";
    module.exports = function required(port, protocol) {
      protocol = protocol.split(":")[0];
      port = +port;
      if (!port) return false;
      switch (protocol) {
        case "http":
        case "ws":
          return port !== 80;
        case "https":
        case "wss":
          return port !== 443;
        case "ftp":
          return port !== 21;
        case "gopher":
          return port !== 70;
        case "file":
          return false;
      }
      return port !== 0;
    };
  }
});

// node_modules/querystringify/index.js
var require_querystringify = __commonJS({
  "node_modules/querystringify/index.js"(exports) {
    "use strict";
    var has = Object.prototype.hasOwnProperty;
    var undef;
    function decode2(input) {
      try {
        return decodeURIComponent(input.replace(/\+/g, " "));
      } catch (e4) {
        return null;
      }
    }
    function encode2(input) {
      try {
        return encodeURIComponent(input);
      } catch (e4) {
        return null;
      }
    }
    function querystring(query) {
      var parser = /([^=?#&]+)=?([^&]*)/g, result = {}, part;
      while (part = parser.exec(query)) {
        var key3 = decode2(part[1]), value = decode2(part[2]);
        if (key3 === null || value === null || key3 in result) continue;
        result[key3] = value;
      }
      return result;
    }
    function querystringify(obj, prefix) {
      prefix = prefix || "";
      var pairs = [], value, key3;
      if ("string" !== typeof prefix) prefix = "?";
      for (key3 in obj) {
        if (has.call(obj, key3)) {
          value = obj[key3];
          if (!value && (value === null || value === undef || isNaN(value))) {
            value = "";
          }
          key3 = encode2(key3);
          value = encode2(value);
          if (key3 === null || value === null) continue;
          pairs.push(key3 + "=" + value);
        }
      }
      return pairs.length ? prefix + pairs.join("&") : "";
    }
    exports.stringify = querystringify;
    exports.parse = querystring;
  }
});

// node_modules/url-parse/index.js
var require_url_parse = __commonJS({
  "node_modules/url-parse/index.js"(exports, module) {
    "use strict";
    var required = require_requires_port();
    var qs = require_querystringify();
    var controlOrWhitespace = /^[\x00-\x20\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+/;
    var CRHTLF = /[\n\r\t]/g;
    var slashes = /^[A-Za-z][A-Za-z0-9+-.]*:\/\//;
    var port = /:\d+$/;
    var protocolre = /^([a-z][a-z0-9.+-]*:)?(\/\/)?([\\/]+)?([\S\s]*)/i;
    var windowsDriveLetter = /^[a-zA-Z]:/;
    function trimLeft(str) {
      return (str ? str : "").toString().replace(controlOrWhitespace, "");
    }
    var rules = [
      ["#", "hash"],
      // Extract from the back.
      ["?", "query"],
      // Extract from the back.
      function sanitize(address3, url) {
        return isSpecial(url.protocol) ? address3.replace(/\\/g, "/") : address3;
      },
      ["/", "pathname"],
      // Extract from the back.
      ["@", "auth", 1],
      // Extract from the front.
      [NaN, "host", void 0, 1, 1],
      // Set left over value.
      [/:(\d*)$/, "port", void 0, 1],
      // RegExp the back.
      [NaN, "hostname", void 0, 1, 1]
      // Set left over.
    ];
    var ignore = { hash: 1, query: 1 };
    function lolcation(loc) {
      var globalVar;
      if (typeof window !== "undefined") globalVar = window;
      else if (typeof global !== "undefined") globalVar = global;
      else if (typeof self !== "undefined") globalVar = self;
      else globalVar = {};
      var location2 = globalVar.location || {};
      loc = loc || location2;
      var finaldestination = {}, type = typeof loc, key3;
      if ("blob:" === loc.protocol) {
        finaldestination = new Url(unescape(loc.pathname), {});
      } else if ("string" === type) {
        finaldestination = new Url(loc, {});
        for (key3 in ignore) delete finaldestination[key3];
      } else if ("object" === type) {
        for (key3 in loc) {
          if (key3 in ignore) continue;
          finaldestination[key3] = loc[key3];
        }
        if (finaldestination.slashes === void 0) {
          finaldestination.slashes = slashes.test(loc.href);
        }
      }
      return finaldestination;
    }
    function isSpecial(scheme) {
      return scheme === "file:" || scheme === "ftp:" || scheme === "http:" || scheme === "https:" || scheme === "ws:" || scheme === "wss:";
    }
    function extractProtocol(address3, location2) {
      address3 = trimLeft(address3);
      address3 = address3.replace(CRHTLF, "");
      location2 = location2 || {};
      var match2 = protocolre.exec(address3);
      var protocol = match2[1] ? match2[1].toLowerCase() : "";
      var forwardSlashes = !!match2[2];
      var otherSlashes = !!match2[3];
      var slashesCount = 0;
      var rest;
      if (forwardSlashes) {
        if (otherSlashes) {
          rest = match2[2] + match2[3] + match2[4];
          slashesCount = match2[2].length + match2[3].length;
        } else {
          rest = match2[2] + match2[4];
          slashesCount = match2[2].length;
        }
      } else {
        if (otherSlashes) {
          rest = match2[3] + match2[4];
          slashesCount = match2[3].length;
        } else {
          rest = match2[4];
        }
      }
      if (protocol === "file:") {
        if (slashesCount >= 2) {
          rest = rest.slice(2);
        }
      } else if (isSpecial(protocol)) {
        rest = match2[4];
      } else if (protocol) {
        if (forwardSlashes) {
          rest = rest.slice(2);
        }
      } else if (slashesCount >= 2 && isSpecial(location2.protocol)) {
        rest = match2[4];
      }
      return {
        protocol,
        slashes: forwardSlashes || isSpecial(protocol),
        slashesCount,
        rest
      };
    }
    function resolve(relative, base) {
      if (relative === "") return base;
      var path3 = (base || "/").split("/").slice(0, -1).concat(relative.split("/")), i4 = path3.length, last3 = path3[i4 - 1], unshift = false, up = 0;
      while (i4--) {
        if (path3[i4] === ".") {
          path3.splice(i4, 1);
        } else if (path3[i4] === "..") {
          path3.splice(i4, 1);
          up++;
        } else if (up) {
          if (i4 === 0) unshift = true;
          path3.splice(i4, 1);
          up--;
        }
      }
      if (unshift) path3.unshift("");
      if (last3 === "." || last3 === "..") path3.push("");
      return path3.join("/");
    }
    function Url(address3, location2, parser) {
      address3 = trimLeft(address3);
      address3 = address3.replace(CRHTLF, "");
      if (!(this instanceof Url)) {
        return new Url(address3, location2, parser);
      }
      var relative, extracted, parse, instruction, index, key3, instructions = rules.slice(), type = typeof location2, url = this, i4 = 0;
      if ("object" !== type && "string" !== type) {
        parser = location2;
        location2 = null;
      }
      if (parser && "function" !== typeof parser) parser = qs.parse;
      location2 = lolcation(location2);
      extracted = extractProtocol(address3 || "", location2);
      relative = !extracted.protocol && !extracted.slashes;
      url.slashes = extracted.slashes || relative && location2.slashes;
      url.protocol = extracted.protocol || location2.protocol || "";
      address3 = extracted.rest;
      if (extracted.protocol === "file:" && (extracted.slashesCount !== 2 || windowsDriveLetter.test(address3)) || !extracted.slashes && (extracted.protocol || extracted.slashesCount < 2 || !isSpecial(url.protocol))) {
        instructions[3] = [/(.*)/, "pathname"];
      }
      for (; i4 < instructions.length; i4++) {
        instruction = instructions[i4];
        if (typeof instruction === "function") {
          address3 = instruction(address3, url);
          continue;
        }
        parse = instruction[0];
        key3 = instruction[1];
        if (parse !== parse) {
          url[key3] = address3;
        } else if ("string" === typeof parse) {
          index = parse === "@" ? address3.lastIndexOf(parse) : address3.indexOf(parse);
          if (~index) {
            if ("number" === typeof instruction[2]) {
              url[key3] = address3.slice(0, index);
              address3 = address3.slice(index + instruction[2]);
            } else {
              url[key3] = address3.slice(index);
              address3 = address3.slice(0, index);
            }
          }
        } else if (index = parse.exec(address3)) {
          url[key3] = index[1];
          address3 = address3.slice(0, index.index);
        }
        url[key3] = url[key3] || (relative && instruction[3] ? location2[key3] || "" : "");
        if (instruction[4]) url[key3] = url[key3].toLowerCase();
      }
      if (parser) url.query = parser(url.query);
      if (relative && location2.slashes && url.pathname.charAt(0) !== "/" && (url.pathname !== "" || location2.pathname !== "")) {
        url.pathname = resolve(url.pathname, location2.pathname);
      }
      if (url.pathname.charAt(0) !== "/" && isSpecial(url.protocol)) {
        url.pathname = "/" + url.pathname;
      }
      if (!required(url.port, url.protocol)) {
        url.host = url.hostname;
        url.port = "";
      }
      url.username = url.password = "";
      if (url.auth) {
        index = url.auth.indexOf(":");
        if (~index) {
          url.username = url.auth.slice(0, index);
          url.username = encodeURIComponent(decodeURIComponent(url.username));
          url.password = url.auth.slice(index + 1);
          url.password = encodeURIComponent(decodeURIComponent(url.password));
        } else {
          url.username = encodeURIComponent(decodeURIComponent(url.auth));
        }
        url.auth = url.password ? url.username + ":" + url.password : url.username;
      }
      url.origin = url.protocol !== "file:" && isSpecial(url.protocol) && url.host ? url.protocol + "//" + url.host : "null";
      url.href = url.toString();
    }
    function set(part, value, fn) {
      var url = this;
      switch (part) {
        case "query":
          if ("string" === typeof value && value.length) {
            value = (fn || qs.parse)(value);
          }
          url[part] = value;
          break;
        case "port":
          url[part] = value;
          if (!required(value, url.protocol)) {
            url.host = url.hostname;
            url[part] = "";
          } else if (value) {
            url.host = url.hostname + ":" + value;
          }
          break;
        case "hostname":
          url[part] = value;
          if (url.port) value += ":" + url.port;
          url.host = value;
          break;
        case "host":
          url[part] = value;
          if (port.test(value)) {
            value = value.split(":");
            url.port = value.pop();
            url.hostname = value.join(":");
          } else {
            url.hostname = value;
            url.port = "";
          }
          break;
        case "protocol":
          url.protocol = value.toLowerCase();
          url.slashes = !fn;
          break;
        case "pathname":
        case "hash":
          if (value) {
            var char = part === "pathname" ? "/" : "#";
            url[part] = value.charAt(0) !== char ? char + value : value;
          } else {
            url[part] = value;
          }
          break;
        case "username":
        case "password":
          url[part] = encodeURIComponent(value);
          break;
        case "auth":
          var index = value.indexOf(":");
          if (~index) {
            url.username = value.slice(0, index);
            url.username = encodeURIComponent(decodeURIComponent(url.username));
            url.password = value.slice(index + 1);
            url.password = encodeURIComponent(decodeURIComponent(url.password));
          } else {
            url.username = encodeURIComponent(decodeURIComponent(value));
          }
      }
      for (var i4 = 0; i4 < rules.length; i4++) {
        var ins = rules[i4];
        if (ins[4]) url[ins[1]] = url[ins[1]].toLowerCase();
      }
      url.auth = url.password ? url.username + ":" + url.password : url.username;
      url.origin = url.protocol !== "file:" && isSpecial(url.protocol) && url.host ? url.protocol + "//" + url.host : "null";
      url.href = url.toString();
      return url;
    }
    function toString(stringify) {
      if (!stringify || "function" !== typeof stringify) stringify = qs.stringify;
      var query, url = this, host = url.host, protocol = url.protocol;
      if (protocol && protocol.charAt(protocol.length - 1) !== ":") protocol += ":";
      var result = protocol + (url.protocol && url.slashes || isSpecial(url.protocol) ? "//" : "");
      if (url.username) {
        result += url.username;
        if (url.password) result += ":" + url.password;
        result += "@";
      } else if (url.password) {
        result += ":" + url.password;
        result += "@";
      } else if (url.protocol !== "file:" && isSpecial(url.protocol) && !host && url.pathname !== "/") {
        result += "@";
      }
      if (host[host.length - 1] === ":" || port.test(url.hostname) && !url.port) {
        host += ":";
      }
      result += host + url.pathname;
      query = "object" === typeof url.query ? stringify(url.query) : url.query;
      if (query) result += "?" !== query.charAt(0) ? "?" + query : query;
      if (url.hash) result += url.hash;
      return result;
    }
    Url.prototype = { set, toString };
    Url.extractProtocol = extractProtocol;
    Url.location = lolcation;
    Url.trimLeft = trimLeft;
    Url.qs = qs;
    module.exports = Url;
  }
});

// node_modules/preact/dist/preact.mjs
var n;
var t;
var r;
var u;
var i;
var f;
var o;
var e;
var l;
var c;
var a;
var s;
var h = /* @__PURE__ */ Symbol.for("pv");
var p = {};
var y = [];
var v = /^m(i|n|o|s|text|space)$/;
var w = Array.isArray;
var d = y.slice;
var _ = Object.assign;
function g(n3) {
  n3 && n3.parentNode && n3.remove();
}
function k(n3, t20, r4) {
  var u4, i4, f5, o5 = {}, e4 = arguments.length;
  for (f5 in t20) "key" == f5 ? u4 = t20[f5] : "ref" == f5 && "function" != typeof n3 ? i4 = t20[f5] : o5[f5] = t20[f5];
  return e4 > 2 && (o5.children = e4 > 3 ? d.call(arguments, 2) : r4), m(n3, o5, u4, i4, null);
}
function m(r4, u4, i4, f5, o5) {
  var e4 = { type: r4, props: u4, key: i4, ref: f5, __k: null, __: null, __b: 0, __e: null, __c: null, constructor: h, __v: o5 || ++t, __i: -1, __u: 0 };
  return !o5 && n.vnode && n.vnode(e4), e4;
}
function $(n3) {
  return n3.children;
}
function x(n3, t20) {
  this.props = n3, this.context = t20, this.__g = 0;
}
function S(n3, t20) {
  if (null == t20) return n3.__ && S(n3.__, n3.__i + 1);
  for (var r4; t20 < n3.__k.length; t20++) if ((r4 = n3.__k[t20]) && r4.__e) return r4.__e;
  return "function" != typeof n3.type || n3.props.__P ? null : S(n3);
}
function C(t20) {
  var r4, u4 = t20.__v, i4 = u4.__e, f5 = [], o5 = [], e4 = t20.__P;
  e4 && ((r4 = _({ constructor: h }, u4)).__v = u4.__v + 1, n.vnode && n.vnode(r4), z(e4, r4, u4, t20.__n, e4.namespaceURI, 32 & u4.__u ? [i4] : null, f5, i4 || S(u4), 32 & u4.__u, o5), r4.__v = u4.__v, r4.__.__k[r4.__i] = r4, E(f5, r4, o5), u4.__ = u4.__e = null, r4.__e != i4 && j(r4));
}
function j(n3) {
  if ((n3 = n3.__) && n3.__c && !n3.props.__P) return n3.__e = null, n3.__k.some(function(t20) {
    return t20 && (n3.__e = t20.__e);
  }), j(n3);
}
function L(t20) {
  (8 & t20.__g || (t20.__g |= 8, u.push(t20), f++)) && i == n.debounceRendering || ((i = n.debounceRendering) || queueMicrotask)(H);
}
function H() {
  try {
    for (var n3, t20 = 1; u.length; ) u.length > t20 && u.sort(o), n3 = u.shift(), t20 = u.length, 8 & n3.__g && C(n3);
  } finally {
    (f = u.length) && (i || queueMicrotask)(H);
  }
}
function I(n3, t20, r4, u4, i4, f5, o5, e4, l4, c4, a5) {
  var s4, h5, v4, w5, d5, _4, g5 = u4.__k || y, k4 = t20.length;
  for (l4 = q(r4, t20, g5, l4, k4), s4 = 0; s4 < k4; s4++) null != (v4 = r4.__k[s4]) && (h5 = ~v4.__i && g5[v4.__i] || p, v4.__i = s4, _4 = z(n3, v4, h5, i4, f5, o5, e4, l4, c4, a5), w5 = v4.__e, (h5.ref != v4.ref || 8 & h5.__u) && (h5.ref && G(h5.ref, null, v4, h5), v4.ref && a5.push(v4.ref, v4.__c || w5, v4)), d5 = d5 || w5, 4 & v4.__u ? (l4 = A(v4, l4, n3, !h5.__v), h5.__e && (h5.__e = null)) : "function" == typeof v4.type && void 0 !== _4 ? l4 = _4 : w5 && (l4 = w5.nextSibling), v4.__u &= -21);
  return r4.__e = d5, l4;
}
function q(n3, t20, r4, u4, i4) {
  var f5, o5, e4, l4, c4, a5, s4, p5, y5, v4 = r4.length, d5 = v4, _4 = 0, g5 = 0, k4 = n3.__k = Array(i4);
  for (f5 = 0; f5 < i4; f5++) null != (o5 = t20[f5]) && "boolean" != typeof o5 && "function" != typeof o5 ? ("object" != typeof o5 || o5.constructor === String ? o5 = k4[f5] = m(null, o5) : w(o5) ? o5 = k4[f5] = m($, { children: o5 }) : o5.constructor === h && o5.__b ? o5 = k4[f5] = m(o5.type, o5.props, o5.key, o5.ref, o5.__v) : k4[f5] = o5, l4 = f5 + _4, o5.__ = n3, o5.__b = n3.__b + 1, e4 = null, ~(c4 = o5.__i = P(o5, r4, l4, d5)) && (d5--, (e4 = r4[c4]) && (e4.__u |= 2)), e4 && e4.__v ? (o5.__u |= 16, c4 == l4 - 1 ? _4-- : c4 == l4 + 1 ? _4++ : c4 != l4 && (c4 > l4 ? _4-- : _4++, g5 = 1)) : (~c4 || (i4 > v4 ? _4-- : i4 < v4 && _4++), "function" != typeof o5.type && (o5.__u |= 4))) : k4[f5] = null;
  if (g5) {
    for (a5 = [], s4 = [], f5 = 0; f5 < i4; f5++) if ((o5 = k4[f5]) && 16 & o5.__u) {
      for (_4 = 0, p5 = a5.length; _4 < p5; ) a5[y5 = _4 + p5 >> 1] < o5.__i ? _4 = y5 + 1 : p5 = y5;
      a5[_4] = o5.__i, s4[f5] = _4 + 1;
    }
    for (_4 = a5.length; f5--; ) s4[f5] && (s4[f5] == _4 ? _4-- : k4[f5].__u |= 4);
  }
  if (d5) for (f5 = 0; f5 < v4; f5++) !(e4 = r4[f5]) || 2 & e4.__u || (e4.__e == u4 && (u4 = S(e4)), J(e4, e4));
  return u4;
}
function A(n3, t20, r4, u4) {
  var i4, f5, o5, e4;
  if ("function" == typeof n3.type) {
    if (n3.props.__P) return t20;
    if (i4 = n3.__k) for (f5 = 0; f5 < i4.length; f5++) i4[f5] && (i4[f5].__ = n3, t20 = A(i4[f5], t20, r4, false));
    return t20;
  }
  for (t20 && !t20.parentNode && (t20 = S(n3)) && !t20.parentNode && (t20 = null), o5 = n3.__e, e4 = t20; e4 && 8 == e4.nodeType; ) e4 = e4.nextSibling;
  for (o5 != e4 && (!u4 && r4.moveBefore && o5.parentNode ? r4.moveBefore(o5, t20) : r4.insertBefore(o5, t20 || null)), t20 = o5; (t20 = t20 && t20.nextSibling) && 8 == t20.nodeType && !t20.data.startsWith("$s"); ) ;
  return t20;
}
function P(n3, t20, r4, u4) {
  var i4, f5 = n3.key, o5 = n3.type, e4 = t20[r4], l4 = e4 && !(2 & e4.__u);
  if (null === e4 && null == f5 || l4 && f5 == e4.key && o5 == e4.type) return r4;
  if (u4 > (l4 ? 1 : 0)) {
    for (i4 = r4 - 1; i4 >= 0; i4--) if ((e4 = t20[i4]) && !(2 & e4.__u) && f5 == e4.key && o5 == e4.type) return i4;
    for (i4 = r4 + 1; i4 < t20.length; i4++) if ((e4 = t20[i4]) && !(2 & e4.__u) && f5 == e4.key && o5 == e4.type) return i4;
  }
  return -1;
}
function T(n3, t20, r4) {
  null == r4 && (r4 = ""), "-" == t20[0] ? n3.setProperty(t20, r4) : n3[t20] = r4;
}
function N(n3, t20, r4, u4, i4) {
  var f5, o5;
  if ("style" == t20) if ("string" == typeof r4) n3.style.cssText = r4;
  else {
    if ("string" == typeof u4 && (n3.style.cssText = u4 = ""), u4) for (t20 in u4) r4 && t20 in r4 || T(n3.style, t20);
    if (r4) for (t20 in r4) u4 && r4[t20] == u4[t20] || T(n3.style, t20, r4[t20]);
  }
  else if ("o" == t20[0] && "n" == t20[1]) "function" != typeof r4 && (r4 = null), "function" != typeof u4 && (u4 = null), (n3.__e || (n3.__e = {}))[t20] = r4, r4 && u4 || (o5 = a[t20] || (a[t20] = V(t20)), (n3.__a || (n3.__a = {}))[t20] = c, f5 = t20 != (t20 = t20.replace(l, "$1")), (t20 = t20.slice(2))[0] < "a" && (t20 = t20.toLowerCase()), r4 ? n3.addEventListener(t20, o5, f5) : n3.removeEventListener(t20, o5, f5));
  else {
    if ("http://www.w3.org/2000/svg" == i4) t20 = t20.replace(/xlink(H|:h)/, "h").replace(/sName$/, "s");
    else if ("width" != t20 && "height" != t20 && "href" != t20 && "list" != t20 && "form" != t20 && "tabIndex" != t20 && "download" != t20 && "rowSpan" != t20 && "colSpan" != t20 && "role" != t20 && "popover" != t20 && t20 in n3) try {
      return void (n3[t20] = null == r4 ? "" : r4);
    } catch (n4) {
    }
    if ("function" == typeof r4) return;
    null == r4 || false === r4 && "-" != t20[4] ? n3.removeAttribute(t20) : n3.setAttribute(t20, "popover" == t20 && 1 == r4 ? "" : r4);
  }
}
function V(t20) {
  return function(r4) {
    var u4 = this.__e;
    if (u4) {
      if (u4 = u4[t20], null == r4[e]) r4[e] = c++;
      else if (r4[e] < this.__a[t20]) return;
      return u4(n.event ? n.event(r4) : r4);
    }
  };
}
function z(t20, r4, u4, i4, f5, o5, e4, l4, c4, a5) {
  var s4, p5, v4, d5, k4, b4, m5, M2, C3, j4, L2, H2, q2, A4, O2, P3, T4, N2, V2 = r4.type;
  if (r4.constructor !== h) return null;
  128 & u4.__u && (c4 = 32 & u4.__u, s4 = u4.__c.__z) && (r4.__u |= c4, p5 = o5 = [], 8 == s4.nodeType ? l4 = B(s4, o5) : o5.push(s4), l4 = o5[0] || l4), (s4 = n.__b) && s4(r4);
  n: if ("function" == typeof V2) {
    v4 = e4.length;
    try {
      if (M2 = r4.props, C3 = (s4 = V2.prototype) && s4.render, j4 = (s4 = V2.contextType) && i4[s4.__c], L2 = s4 ? j4 ? j4.props.value : s4.__ : i4, (d5 = u4.__c) ? (r4.__c = d5, 2 & d5.__g && (d5.__g |= 1)) : (C3 ? r4.__c = d5 = new V2(M2, L2) : (r4.__c = d5 = new x(M2, L2), d5.constructor = V2, d5.render = K), j4 && j4.sub(d5), d5.state || (d5.state = {}), d5.__n = i4, d5.__g |= 8, d5.__h = [], d5.__k = []), C3 && (d5.__s || (d5.__s = d5.state), V2.getDerivedStateFromProps && (d5.__s == d5.state && (d5.__s = _({}, d5.__s)), _(d5.__s, V2.getDerivedStateFromProps(M2, d5.__s)))), k4 = d5.props, b4 = d5.state, d5.__v = r4, u4.__c) {
        if (M2 !== k4 && C3 && !V2.getDerivedStateFromProps && d5.componentWillReceiveProps && d5.componentWillReceiveProps(M2, L2), r4.__v == u4.__v && !(8 & d5.__g) || !(4 & d5.__g) && d5.shouldComponentUpdate && false === d5.shouldComponentUpdate(M2, d5.__s, L2)) {
          r4.__v != u4.__v && (d5.props = M2, d5.state = d5.__s, d5.__g &= -9), r4.__e = u4.__e, r4.__k = u4.__k, r4.__k.some(function(n3) {
            n3 && (n3.__ = r4);
          }), y.push.apply(d5.__h, d5.__k), d5.__k = [], d5.__h.length && e4.push(d5), l4 = S(u4);
          break n;
        }
        d5.componentWillUpdate && d5.componentWillUpdate(M2, d5.__s, L2), C3 && d5.componentDidUpdate && d5.__h.push(function() {
          d5.componentDidUpdate(k4, b4, m5);
        });
      } else C3 && !V2.getDerivedStateFromProps && d5.componentWillMount && d5.componentWillMount(), C3 && d5.componentDidMount && d5.__h.push(d5.componentDidMount);
      d5.context = L2, d5.props = M2, d5.__P = t20, d5.__g &= -5, H2 = n.__r, q2 = C3 ? 25 : 0;
      do {
        d5.__g &= -9, H2 && H2(r4), s4 = d5.render(d5.props, d5.state = d5.__s, d5.context);
      } while (8 & d5.__g && ++q2 < 25);
      C3 && (y.push.apply(d5.__h, d5.__k), d5.__k = []), d5.state = d5.__s, d5.getChildContext && (i4 = _({}, i4, d5.getChildContext())), C3 && u4.__c && d5.getSnapshotBeforeUpdate && (m5 = d5.getSnapshotBeforeUpdate(k4, b4)), A4 = s4 && s4.type === $ && null == s4.key ? s4.props.children : s4, M2.__P && (s4 = l4, f5 = (t20 = M2.__P).namespaceURI, c4 = o5 = null, u4.props && u4.props.__P != t20 && (u4.__k.some(function(n3) {
        n3 && J(n3, n3);
      }), u4.__k = null), l4 = u4.__k ? S(u4, 0) : null), l4 = I(t20, w(A4) ? A4 : [A4], r4, u4, i4, f5, o5, e4, l4, c4, a5), M2.__P && (r4.__e = null, l4 = s4), r4.__u &= -161, p5 && p5.some(g), d5.__h.length && e4.push(d5), 1 & d5.__g && (d5.__g &= -4);
    } catch (t21) {
      if (e4.length = v4, r4.__v = null, c4 || o5) if (t21 && t21.then) {
        if (r4.__u |= 128 | c4, o5) {
          for (~(T4 = o5.indexOf(l4 || void 0)) || (T4 = o5.length); (N2 = o5[T4 - 1]) && 8 == N2.nodeType; ) T4--;
          for (; T4 < o5.length; T4++) if (N2 = o5[T4]) if (o5[T4] = null, O2) {
            if (N2 == P3) break;
          } else {
            if (8 != N2.nodeType) break;
            N2.data.startsWith("$s") && (P3 = B(O2 = N2));
          }
        }
        if (!O2) {
          for (; l4 && 8 == l4.nodeType && l4.nextSibling; ) l4 = l4.nextSibling;
          O2 = l4;
        }
        (s4 = B(O2 = r4.__c.__z || (r4.__c.__z = O2))) ? (r4.__e = O2, l4 = s4) : r4.__e = l4, l4 = l4 && l4.nextSibling;
      } else o5 && o5.some(g);
      else r4.__e = u4.__e;
      r4.__k || (r4.__k = u4.__k || []), t21 && t21.then || D(r4), n.__e(t21, r4, u4);
    }
  } else l4 = r4.__e = F(u4.__e, r4, u4, i4, f5, o5, e4, c4, a5, t20);
  return (s4 = n.diffed) && s4(r4), l4;
}
function B(n3, t20) {
  if (n3 && 8 == n3.nodeType && n3.data.startsWith("$s")) for (var r4 = 1; n3 = n3.nextSibling; ) {
    if (8 == n3.nodeType) {
      if (n3.data.startsWith("$s")) r4++;
      else if (n3.data.startsWith("/$s") && !--r4) return n3;
    }
    t20 && t20.push(n3);
  }
}
function D(n3) {
  n3 && (n3.__c && (n3.__c.__g |= 4), n3.__k && n3.__k.some(D));
}
function E(t20, r4, u4) {
  for (var i4 = 0; i4 < u4.length; ) G(u4[i4++], u4[i4++], u4[i4++]);
  n.__c && n.__c(r4, t20), t20.some(function(r5) {
    try {
      t20 = r5.__h, r5.__h = [], t20.some(function(n3) {
        n3.call(r5);
      });
    } catch (t21) {
      n.__e(t21, r5.__v);
    }
  });
}
function F(t20, r4, u4, i4, f5, o5, e4, l4, c4, a5) {
  var s4, h5, y5, _4, k4, b4, m5, M2, $2 = u4.props || p, x3 = r4.props, C3 = r4.type;
  if ("svg" == C3 ? f5 = "http://www.w3.org/2000/svg" : "math" == C3 ? f5 = "http://www.w3.org/1998/Math/MathML" : f5 || (f5 = "http://www.w3.org/1999/xhtml"), o5) {
    for (s4 = 0; s4 < o5.length; s4++) if ((k4 = o5[s4]) && (C3 ? k4.localName == C3 : 3 == k4.nodeType)) {
      t20 = k4, o5[s4] = null;
      break;
    }
  }
  if (!t20) {
    if (M2 = a5.ownerDocument || document, !C3) return M2.createTextNode(x3);
    t20 = M2.createElementNS(f5, C3, x3.is ? x3 : a5), l4 && (n.__m && n.__m(r4, o5), l4 = false), o5 = null;
  }
  if (C3) {
    if (a5 = "template" == C3 && t20.content || t20, o5 = "textarea" == C3 && null != x3.defaultValue ? null : o5 && d.call(a5.childNodes), !l4 && o5) for ($2 = {}, s4 = 0; s4 < t20.attributes.length; s4++) $2[(k4 = t20.attributes[s4]).name] = k4.value;
    for (s4 in $2) k4 = $2[s4], "dangerouslySetInnerHTML" == s4 ? y5 = k4 : "children" == s4 || s4 in x3 || "value" == s4 && "defaultValue" in x3 || "checked" == s4 && "defaultChecked" in x3 || N(t20, s4, null, k4, f5);
    for (s4 in x3) k4 = x3[s4], "children" == s4 ? _4 = k4 : "dangerouslySetInnerHTML" == s4 ? h5 = k4 : "value" == s4 ? b4 = k4 : "checked" == s4 ? m5 = k4 : l4 && "function" != typeof k4 || $2[s4] === k4 || N(t20, s4, k4, $2[s4], f5);
    h5 ? (l4 || y5 && (h5.__html == y5.__html || h5.__html == t20.innerHTML) || (t20.innerHTML = h5.__html), r4.__k = []) : (y5 && (t20.textContent = ""), ("foreignObject" == C3 || "http://www.w3.org/1998/Math/MathML" == f5 && v.test(C3)) && (f5 = "http://www.w3.org/1999/xhtml"), I(a5, w(_4) ? _4 : [_4], r4, u4, i4, f5, o5, e4, o5 ? o5[0] : u4.__k && S(u4, 0), l4, c4), o5 && o5.some(g)), l4 && "textarea" != C3 || (s4 = "value", "progress" == C3 && null == b4 ? t20.removeAttribute(s4) : null == b4 || b4 === t20[s4] && ("progress" != C3 || b4) || N(t20, s4, b4, $2[s4], f5), s4 = "checked", null != m5 && m5 != t20[s4] && N(t20, s4, m5, $2[s4], f5));
  } else $2 === x3 || l4 && t20.data == x3 || (t20.data = x3);
  return t20;
}
function G(t20, r4, u4, i4) {
  try {
    "function" == typeof t20 ? r4 ? r4.__x = t20(r4) || 1 : i4 && (i4 = i4.__c || i4.__e) && (r4 = i4.__x) && (i4.__x = null, "function" == typeof r4 ? r4() : t20(null)) : t20.current = r4;
  } catch (t21) {
    n.__e(t21, u4);
  }
}
function J(t20, r4, u4) {
  var i4, f5, o5, e4;
  if (n.unmount && n.unmount(t20), !(i4 = t20.ref) || i4.current && i4.current != t20.__e || G(i4, null, r4, t20), i4 = t20.__c) {
    if (i4.componentWillUnmount) try {
      i4.componentWillUnmount();
    } catch (t21) {
      n.__e(t21, r4);
    }
    i4.__P = i4.__n = null;
  }
  if (i4 = t20.__k) for (e4 = 0; e4 < i4.length; e4++) i4[e4] && J(i4[e4], r4, "function" != typeof t20.type || u4 && !t20.props.__P);
  !u4 && (i4 = t20.__c) && (i4 = i4.__z) && (f5 = B(i4, o5 = [])) && (i4 == t20.__e && o5.some(g), g(f5), g(i4)), u4 || g(t20.__e), t20.__e = t20.__c = t20.__ = null;
}
function K(n3, t20, r4) {
  return this.constructor(n3, r4);
}
function Q(t20, r4) {
  var u4, i4, f5, o5;
  n.__ && n.__(t20, r4), 9 == r4.nodeType && (r4 = r4.documentElement), i4 = (u4 = t20 && 32 & t20.__u) ? null : r4.__k, r4.__k = m($, { children: [t20] }), f5 = [], o5 = [], z(r4, r4.__k, i4 || p, p, r4.namespaceURI, i4 ? null : r4.firstChild ? d.call(r4.childNodes) : null, f5, i4 ? i4.__e : r4.firstChild, u4, o5), E(f5, r4.__k, o5), r4.__k.props.children = null;
}
function U(n3) {
  function t20(n4) {
    var r4, u4;
    return this.getChildContext || (r4 = /* @__PURE__ */ new Set(), (u4 = {})[t20.__c] = this, this.getChildContext = function() {
      return u4;
    }, this.shouldComponentUpdate = function(n5) {
      this.props.value != n5.value && r4.forEach(function(n6) {
        n6.__g |= 4, L(n6);
      });
    }, this.sub = function(n5) {
      r4.add(n5);
      var t21 = n5.componentWillUnmount;
      n5.componentWillUnmount = function() {
        r4.delete(n5), t21 && t21.call(n5);
      };
    }), n4.children;
  }
  return t20.__c = "__cC" + s++, t20.__ = n3, t20.Provider = (t20.Consumer = function(n4, t21) {
    return n4.children(t21);
  }).contextType = t20, t20;
}
n = { __e: function(n3, t20, r4, u4) {
  for (var i4, o5, e4; t20 = t20.__; ) if ((i4 = t20.__c) && !(1 & i4.__g)) {
    i4.__g |= 4;
    try {
      if ((e4 = (o5 = i4.constructor) && o5.getDerivedStateFromError) && i4.setState(o5.getDerivedStateFromError(n3)), i4.componentDidCatch && (i4.componentDidCatch(n3, u4 || {}), e4 = 1), e4 && 8 & i4.__g) return void (i4.__g |= 2);
    } catch (t21) {
      n3 = t21;
    }
  }
  throw f = 0, n3;
} }, t = 0, r = function(n3) {
  return null != n3 && n3.constructor === h;
}, x.prototype.setState = function(n3, t20) {
  var r4 = this.__s;
  r4 && r4 != this.state || (r4 = this.__s = _({}, this.state)), "function" == typeof n3 && (n3 = n3(_({}, r4), this.props)), n3 && (_(r4, n3), this.__v && (t20 && this.__k.push(t20), L(this)));
}, x.prototype.forceUpdate = function(n3) {
  this.__v && (this.__g |= 4, n3 && this.__h.push(n3), L(this));
}, x.prototype.render = $, u = [], f = 0, o = function(n3, t20) {
  return n3.__v.__b - t20.__v.__b;
}, e = /* @__PURE__ */ Symbol(), l = /(PointerCapture)$|Capture$/i, c = 0, a = {}, s = 0;

// src/rooms.ts
var rooms_exports = {};
__export(rooms_exports, {
  account: () => account,
  avatar: () => avatar,
  drop: () => drop,
  file: () => file,
  guard: () => guard2,
  mailcode: () => mailcode,
  passkey: () => passkey,
  question: () => question,
  recovery: () => recovery,
  session: () => session,
  share: () => share3,
  smscode: () => smscode,
  social: () => social,
  totp: () => totp
});

// node_modules/preact/hooks/dist/hooks.mjs
var t2;
var r2;
var u2;
var i2;
var o2 = Object.is;
var f2 = 0;
var c2 = [];
var e2 = [];
var a2 = n;
var v2 = a2.__b;
var l2 = a2.__r;
var m2 = a2.diffed;
var h2 = a2.__c;
var s2 = a2.unmount;
var p2 = a2.__;
function y2(n3, t20) {
  a2.__h && a2.__h(r2, n3, f2 || t20), f2 = 0;
  var u4 = r2.__H || (r2.__H = { __: [], __h: [] });
  return n3 >= u4.__.length && u4.__.push({}), u4.__[n3];
}
function d2(n3) {
  return f2 = 1, _2(G2, n3);
}
function _2(n3, u4, i4) {
  var f5 = y2(t2++, 2);
  if (f5.t = n3, !f5.__c && (f5.__ = [i4 ? i4(u4) : G2(void 0, u4), function(n4) {
    var t20 = (f5.__N || f5.__)[0], r4 = f5.t(t20, n4);
    o2(t20, r4) || (f5.__N = [r4, f5.__[1]], f5.__c.setState({}));
  }], f5.__c = r2, !r2.__f)) {
    r2.__f = true;
    var c4 = r2.shouldComponentUpdate;
    r2.shouldComponentUpdate = function(n4, t20, r4) {
      var u5 = this.__H;
      if (!u5) return true;
      var i5 = false, f6 = this.props != n4;
      if (u5.__.some(function(n5) {
        n5.__N && (i5 = true, o2(n5.__[0], n5.__N[0]) || (f6 = true));
      }), c4) {
        var e4 = c4.call(this, n4, t20, r4);
        return i5 ? e4 || f6 : e4;
      }
      return !i5 || f6;
    };
  }
  return f5.__;
}
function A2(n3, u4) {
  var i4 = y2(t2++, 3);
  !a2.__s && E2(i4.__H, u4) && (i4.__P = true, i4.__ = n3, i4.u = u4, r2.__H.__h.push(i4));
}
function F2(n3, u4) {
  var i4 = y2(t2++, 4);
  !a2.__s && E2(i4.__H, u4) && (i4.__P = false, i4.__ = n3, i4.u = u4, r2.__h.push(i4));
}
function T2(n3) {
  return f2 = 5, w2(function() {
    return { current: n3 };
  }, []);
}
function w2(n3, r4) {
  var u4 = y2(t2++, 7);
  return E2(u4.__H, r4) && (u4.__ = n3(), u4.__H = r4), u4.__;
}
function b(n3, t20) {
  return f2 = 8, w2(function() {
    return n3;
  }, t20);
}
function j2(n3) {
  var u4 = r2.context[n3.__c], i4 = y2(t2++, 9);
  return i4.c = n3, u4 ? (null == i4.__ && (i4.__ = true, u4.sub(r2)), u4.props.value) : n3.__;
}
function P2() {
  var n3 = y2(t2++, 11);
  if (!n3.__) {
    for (var u4 = r2.__v; !u4.__m && u4.__; ) u4 = u4.__;
    var i4 = u4.__m || (u4.__m = [0, 0]);
    n3.__ = "P" + i4[0] + "-" + i4[1]++;
  }
  return n3.__;
}
function g2() {
  var n3;
  do {
    for (; n3 = e2.shift(); ) try {
      C2(n3);
    } catch (t21) {
      a2.__e(t21, { __: (n3 = n3.__P) && n3.__v });
    }
    for (; n3 = c2.shift(); ) {
      var t20 = n3.__H;
      if (n3.__P && t20) try {
        t20.__h.some(C2), t20.__h.some(D2), t20.__h = [];
      } catch (r4) {
        t20.__h = [], a2.__e(r4, n3.__v);
      }
    }
  } while (e2.length);
}
a2.__b = function(n3) {
  r2 = null, v2 && v2(n3);
}, a2.__ = function(n3, t20) {
  n3 && t20.__k && t20.__k.__m && (n3.__m = t20.__k.__m), p2 && p2(n3, t20);
}, a2.__r = function(n3) {
  l2 && l2(n3), t2 = 0;
  var i4 = (r2 = n3.__c).__H;
  i4 && (u2 == r2 ? r2.__h = [] : (i4.__h.some(C2), i4.__h.some(D2), t2 = 0), i4.__h = [], i4.__.some(function(n4) {
    n4.__N && (n4.__ = n4.__N), n4.u = n4.__N = void 0;
  })), u2 = r2;
}, a2.diffed = function(n3) {
  m2 && m2(n3);
  var t20 = n3.__c;
  t20 && t20.__H && (t20.__H.__h.length && B2(c2.push(t20)), t20.__H.__.some(function(n4) {
    n4.u && (n4.__H = n4.u);
  })), u2 = r2 = null;
}, a2.__c = function(n3, t20) {
  t20.some(function(n4) {
    try {
      n4.__h.some(C2), n4.__h = n4.__h.filter(function(n5) {
        return !n5.__ || D2(n5);
      });
    } catch (t21) {
      n4.__h = [function() {
        throw t21;
      }];
    }
  }), h2 && h2(n3, t20);
}, a2.unmount = function(n3) {
  s2 && s2(n3);
  var t20, r4, u4 = n3.__c;
  u4 && u4.__H && (u4.__H.__.some(function(u5) {
    try {
      if (u5.__P && u5.__c) {
        if (void 0 === r4) {
          for (r4 = n3.__; r4 && (!r4.__c || !r4.__c.__P); ) r4 = r4.__;
          r4 = r4 && r4.__c;
        }
        u5.__P = r4, B2(e2.push(u5));
      } else C2(u5);
    } catch (n4) {
      t20 = n4;
    }
  }), u4.__H = void 0, t20 && a2.__e(t20, u4.__v));
};
var k2 = "function" == typeof requestAnimationFrame;
function z2(n3) {
  var t20, r4 = function() {
    clearTimeout(u4), k2 && cancelAnimationFrame(t20), setTimeout(n3);
  }, u4 = setTimeout(r4, 35);
  k2 && (t20 = requestAnimationFrame(r4));
}
function B2(n3) {
  1 != n3 && i2 == a2.requestAnimationFrame || ((i2 = a2.requestAnimationFrame) || z2)(g2);
}
function C2(n3) {
  var t20 = r2, u4 = n3.__c;
  "function" == typeof u4 && (n3.__c = void 0, u4()), r2 = t20;
}
function D2(n3) {
  var t20 = r2;
  n3.__c = n3.__(), r2 = t20;
}
function E2(n3, t20) {
  return !n3 || n3.length != t20.length || t20.some(function(t21, r4) {
    return !o2(t21, n3[r4]);
  });
}
function G2(n3, t20) {
  return "function" == typeof t20 ? t20(n3) : t20;
}

// node_modules/@preact/signals-core/dist/signals-core.module.js
var i3 = /* @__PURE__ */ Symbol.for("preact-signals");
function t3() {
  if (!(v3 > 1)) {
    var i4, t20 = false;
    !(function() {
      var i5 = c3;
      c3 = void 0;
      while (void 0 !== i5) {
        var t21 = i5.S;
        if (t21.v === i5.v) {
          for (var r5 = t21.t; void 0 !== r5; r5 = r5.x) if (r5.i === i5.i) r5.i = t21.i;
        }
        i5 = i5.o;
      }
    })();
    while (void 0 !== h3) {
      var r4 = h3;
      h3 = void 0;
      s3++;
      while (void 0 !== r4) {
        var n3 = r4.u;
        r4.u = void 0;
        r4.f &= -3;
        if (!(8 & r4.f) && w3(r4)) try {
          r4.c();
        } catch (r5) {
          if (!t20) {
            i4 = r5;
            t20 = true;
          }
        }
        r4 = n3;
      }
    }
    s3 = 0;
    v3--;
    if (t20) throw i4;
  } else v3--;
}
function r3(i4) {
  if (v3 > 0) return i4();
  u3 = ++e3;
  v3++;
  try {
    return i4();
  } finally {
    t3();
  }
}
var n2;
var o3 = void 0;
function f3(i4) {
  var t20 = o3, r4 = n2;
  o3 = void 0;
  n2 = void 0;
  try {
    return i4();
  } finally {
    o3 = t20;
    n2 = r4;
  }
}
var h3 = void 0;
var v3 = 0;
var s3 = 0;
var e3 = 0;
var u3 = 0;
var c3 = void 0;
var a3 = 0;
function d3(i4) {
  if (void 0 !== o3) {
    var t20 = i4.n;
    if (void 0 === t20 || t20.t !== o3) {
      t20 = { i: 0, S: i4, p: o3.s, n: void 0, t: o3, e: void 0, x: void 0, r: t20 };
      if (void 0 !== o3.s) o3.s.n = t20;
      o3.s = t20;
      i4.n = t20;
      if (32 & o3.f) i4.S(t20);
      return t20;
    } else if (-1 === t20.i) {
      t20.i = 0;
      if (void 0 !== t20.n) {
        t20.n.p = t20.p;
        if (void 0 !== t20.p) t20.p.n = t20.n;
        t20.p = o3.s;
        t20.n = void 0;
        o3.s.n = t20;
        o3.s = t20;
      }
      return t20;
    }
  }
}
function l3(i4, t20) {
  this.v = i4;
  this.i = 0;
  this.n = void 0;
  this.t = void 0;
  this.l = 0;
  this.W = null == t20 ? void 0 : t20.watched;
  this.Z = null == t20 ? void 0 : t20.unwatched;
  this.name = null == t20 ? void 0 : t20.name;
}
l3.prototype.brand = i3;
l3.prototype.h = function() {
  return true;
};
l3.prototype.S = function(i4) {
  var t20 = this, r4 = this.t;
  if (r4 !== i4 && void 0 === i4.e) {
    i4.x = r4;
    this.t = i4;
    if (void 0 !== r4) r4.e = i4;
    else f3(function() {
      var i5;
      null == (i5 = t20.W) || i5.call(t20);
    });
  }
};
l3.prototype.U = function(i4) {
  var t20 = this;
  if (void 0 !== this.t) {
    var r4 = i4.e, n3 = i4.x;
    if (void 0 !== r4) {
      r4.x = n3;
      i4.e = void 0;
    }
    if (void 0 !== n3) {
      n3.e = r4;
      i4.x = void 0;
    }
    if (i4 === this.t) {
      this.t = n3;
      if (void 0 === n3) f3(function() {
        var i5;
        null == (i5 = t20.Z) || i5.call(t20);
      });
    }
  }
};
l3.prototype.subscribe = function(i4) {
  var t20 = this;
  return x2(function() {
    var r4 = t20.value;
    f3(function() {
      return i4(r4);
    });
  }, { name: "sub" });
};
l3.prototype.valueOf = function() {
  return this.value;
};
l3.prototype.toString = function() {
  return this.value + "";
};
l3.prototype.toJSON = function() {
  return this.value;
};
l3.prototype.peek = function() {
  var i4 = this;
  return f3(function() {
    return i4.value;
  });
};
Object.defineProperty(l3.prototype, "value", { get: function() {
  var i4 = d3(this);
  if (void 0 !== i4) i4.i = this.i;
  return this.v;
}, set: function(i4) {
  if (i4 !== this.v) {
    if (s3 > 100) throw new Error("Cycle detected");
    !(function(i5) {
      if (0 !== v3 && 0 === s3) {
        if (i5.l !== u3) {
          i5.l = u3;
          c3 = { S: i5, v: i5.v, i: i5.i, o: c3 };
        }
      }
    })(this);
    this.v = i4;
    this.i++;
    a3++;
    v3++;
    try {
      for (var r4 = this.t; void 0 !== r4; r4 = r4.x) r4.t.N();
    } finally {
      t3();
    }
  }
} });
function y3(i4, t20) {
  return new l3(i4, t20);
}
function w3(i4) {
  for (var t20 = i4.s; void 0 !== t20; t20 = t20.n) if (t20.S.i !== t20.i || !t20.S.h() || t20.S.i !== t20.i) return true;
  return false;
}
function b2(i4) {
  for (var t20 = i4.s; void 0 !== t20; t20 = t20.n) {
    var r4 = t20.S.n;
    if (void 0 !== r4) t20.r = r4;
    t20.S.n = t20;
    t20.i = -1;
    if (void 0 === t20.n) {
      i4.s = t20;
      break;
    }
  }
}
function _3(i4) {
  var t20 = i4.s, r4 = void 0;
  while (void 0 !== t20) {
    var n3 = t20.p;
    if (-1 === t20.i) {
      t20.S.U(t20);
      if (void 0 !== n3) n3.n = t20.n;
      if (void 0 !== t20.n) t20.n.p = n3;
    } else r4 = t20;
    t20.S.n = t20.r;
    if (void 0 !== t20.r) t20.r = void 0;
    t20 = n3;
  }
  i4.s = r4;
}
function j3(i4, t20) {
  l3.call(this, void 0, t20);
  this.x = i4;
  this.s = void 0;
  this.g = a3 - 1;
  this.f = 4;
}
j3.prototype = new l3();
j3.prototype.h = function() {
  this.f &= -3;
  if (1 & this.f) return false;
  if (32 == (36 & this.f)) return true;
  this.f &= -5;
  if (this.g === a3) return true;
  this.g = a3;
  this.f |= 1;
  if (this.i > 0 && !w3(this)) {
    this.f &= -2;
    return true;
  }
  var i4 = o3;
  try {
    b2(this);
    o3 = this;
    var t20 = this.x();
    if (16 & this.f || this.v !== t20 || 0 === this.i) {
      this.v = t20;
      this.f &= -17;
      this.i++;
    }
  } catch (i5) {
    this.v = i5;
    this.f |= 16;
    this.i++;
  }
  o3 = i4;
  _3(this);
  this.f &= -2;
  return true;
};
j3.prototype.S = function(i4) {
  if (void 0 === this.t) {
    this.f |= 36;
    for (var t20 = this.s; void 0 !== t20; t20 = t20.n) t20.S.S(t20);
  }
  l3.prototype.S.call(this, i4);
};
j3.prototype.U = function(i4) {
  if (void 0 !== this.t) {
    l3.prototype.U.call(this, i4);
    if (void 0 === this.t) {
      this.f &= -33;
      for (var t20 = this.s; void 0 !== t20; t20 = t20.n) t20.S.U(t20);
    }
  }
};
j3.prototype.N = function() {
  if (!(2 & this.f)) {
    this.f |= 6;
    for (var i4 = this.t; void 0 !== i4; i4 = i4.x) i4.t.N();
  }
};
Object.defineProperty(j3.prototype, "value", { get: function() {
  if (1 & this.f) throw new Error("Cycle detected");
  var i4 = d3(this);
  this.h();
  if (void 0 !== i4) i4.i = this.i;
  if (16 & this.f) throw this.v;
  return this.v;
} });
function O(i4, t20) {
  return new j3(i4, t20);
}
function p3(i4) {
  var r4 = i4.j;
  i4.j = void 0;
  if ("function" == typeof r4) {
    v3++;
    var n3 = o3;
    o3 = void 0;
    try {
      r4();
    } catch (t20) {
      i4.f &= -2;
      i4.f |= 8;
      g3(i4);
      throw t20;
    } finally {
      o3 = n3;
      t3();
    }
  }
}
function g3(i4) {
  for (var t20 = i4.s; void 0 !== t20; t20 = t20.n) t20.S.U(t20);
  i4.x = void 0;
  i4.s = void 0;
  p3(i4);
}
function S2(i4) {
  if (o3 !== this) throw new Error("Out-of-order effect");
  _3(this);
  o3 = i4;
  this.f &= -2;
  try {
    if (8 & this.f) g3(this);
  } finally {
    t3();
  }
}
function m3(i4, t20) {
  this.x = i4;
  this.j = void 0;
  this.s = void 0;
  this.u = void 0;
  this.f = 32;
  this.name = null == t20 ? void 0 : t20.name;
  if (n2) n2.push(this);
}
m3.prototype.c = function() {
  var i4 = this.S();
  try {
    if (8 & this.f) return;
    if (void 0 === this.x) return;
    var t20 = this.x();
    if ("function" == typeof t20) this.j = t20;
  } finally {
    i4();
  }
};
m3.prototype.S = function() {
  if (1 & this.f) throw new Error("Cycle detected");
  this.f |= 1;
  this.f &= -9;
  p3(this);
  b2(this);
  v3++;
  var i4 = o3;
  o3 = this;
  return S2.bind(this, i4);
};
m3.prototype.N = function() {
  if (!(2 & this.f)) {
    this.f |= 2;
    this.u = h3;
    h3 = this;
  }
};
m3.prototype.d = function() {
  this.f |= 8;
  if (!(1 & this.f)) g3(this);
};
m3.prototype.dispose = function() {
  this.d();
};
function x2(i4, t20) {
  var r4 = new m3(i4, t20);
  try {
    r4.c();
  } catch (i5) {
    r4.d();
    throw i5;
  }
  var n3 = r4.d.bind(r4);
  n3[Symbol.dispose] = n3;
  return n3;
}

// node_modules/@preact/signals/dist/signals.module.js
var h4;
var d4;
var p4;
var m4 = "undefined" != typeof window && !!window.__PREACT_SIGNALS_DEVTOOLS__;
var g4 = [];
x2(function() {
  h4 = this.N;
})();
function b3(i4, n3) {
  n[i4] = n3.bind(null, n[i4] || function() {
  });
}
function y4(i4) {
  if (p4) {
    var n3 = p4;
    p4 = void 0;
    n3();
  }
  p4 = i4 && i4.S();
}
function w4(i4) {
  var n3 = this, r4 = i4.data, t20 = useSignal(r4);
  t20.name = "ReactiveDom";
  t20.value = r4;
  var e4 = w2(function() {
    var i5 = n3, r5 = n3.__v;
    while (r5 = r5.__) if (r5.__c) {
      r5.__c.__$f |= 4;
      break;
    }
    var o5 = O(function() {
      var i6 = t20.value.value;
      return 0 === i6 ? 0 : true === i6 ? "" : i6 || "";
    }), e5 = O(function() {
      return !Array.isArray(o5.value) && !r(o5.value);
    }), u5 = x2(function() {
      this.N = M;
      if (e5.value) {
        var n4 = o5.value;
        if (i5.__v && i5.__v.__e && 3 === i5.__v.__e.nodeType) i5.__v.__e.data = n4;
      }
    }), c5 = n3.__$u.d;
    n3.__$u.d = function() {
      u5();
      c5.call(this);
    };
    return [e5, o5];
  }, []), u4 = e4[0], c4 = e4[1];
  return u4.value ? c4.peek() : c4.value;
}
w4.displayName = "ReactiveTextNode";
Object.defineProperties(l3.prototype, { constructor: { configurable: true, value: k($, null).constructor }, type: { configurable: true, value: w4 }, props: { configurable: true, get: function() {
  var i4 = this;
  return { data: { get value() {
    return i4.value;
  } } };
} }, __b: { configurable: true, value: 1 } });
b3("__b", function(i4, n3) {
  y4();
  d4 = void 0;
  if ("string" == typeof n3.type) {
    var r4, t20 = n3.props;
    for (var f5 in t20) if ("children" !== f5) {
      var o5 = t20[f5];
      if (o5 instanceof l3) {
        if (!r4) n3.__np = r4 = {};
        r4[f5] = o5;
        t20[f5] = o5.peek();
      }
    }
  }
  i4(n3);
});
b3("__r", function(i4, r4) {
  i4(r4);
  if (r4.type !== $) {
    y4();
    var t20, f5 = r4.__c;
    if (f5) {
      f5.__$f &= -2;
      if (void 0 === (t20 = f5.__$u)) f5.__$u = t20 = (function(i5, n3) {
        var r5;
        x2(function() {
          r5 = this;
        }, { name: n3 });
        r5.c = i5;
        return r5;
      })(/* @__PURE__ */ (function(i5) {
        return function() {
          var n3;
          if (m4) null == (n3 = this.y) || n3.call(this);
          i5.__$f |= 1;
          i5.setState({});
        };
      })(f5), "function" == typeof r4.type ? r4.type.displayName || r4.type.name : "");
    }
    d4 = f5;
    y4(t20);
  }
});
b3("__e", function(i4, n3, r4, t20) {
  y4();
  d4 = void 0;
  i4(n3, r4, t20);
});
b3("diffed", function(i4, n3) {
  y4();
  d4 = void 0;
  var r4;
  if ("string" == typeof n3.type && (r4 = n3.__e)) {
    var t20 = n3.__np, f5 = n3.props, o5 = r4.U;
    if (o5) for (var e4 in o5) {
      var u4 = o5[e4];
      if (!(void 0 === u4 || t20 && e4 in t20)) {
        u4.d();
        o5[e4] = void 0;
      }
    }
    if (t20) {
      if (!o5) {
        o5 = {};
        r4.U = o5;
      }
      for (var a5 in t20) {
        var c4 = o5[a5], v4 = t20[a5];
        if (void 0 === c4) {
          c4 = k3(r4, a5, v4, f5);
          o5[a5] = c4;
        } else c4.o(v4, f5);
      }
    }
  }
  i4(n3);
});
function k3(i4, n3, r4, t20) {
  var f5 = n3 in i4 && void 0 === i4.ownerSVGElement, o5 = y3(r4);
  return { o: function(i5, n4) {
    o5.value = i5;
    t20 = n4;
  }, d: x2(function() {
    this.N = M;
    var r5 = o5.value.value;
    if (t20[n3] !== r5) {
      t20[n3] = r5;
      if (f5) i4[n3] = r5;
      else if (null != r5 && (false !== r5 || "-" === n3[4])) i4.setAttribute(n3, r5);
      else i4.removeAttribute(n3);
    }
  }) };
}
b3("unmount", function(i4, n3) {
  if ("string" == typeof n3.type) {
    var r4 = n3.__e;
    if (r4) {
      var t20 = r4.U;
      if (t20) {
        r4.U = void 0;
        for (var f5 in t20) {
          var o5 = t20[f5];
          if (o5) o5.d();
        }
      }
    }
    var e4 = n3.__np;
    if (e4) {
      var u4 = n3.props;
      for (var a5 in e4) u4[a5] = e4[a5];
    }
    n3.__np = void 0;
  } else {
    var c4 = n3.__c;
    if (c4) {
      c4.__$f |= 8;
      var v4 = c4.__$u;
      if (v4) {
        c4.__$u = void 0;
        v4.d();
      }
    }
  }
  i4(n3);
});
b3("__h", function(i4, n3, r4, t20) {
  if (t20 < 3) n3.__$f |= 2;
  i4(n3, r4, t20);
});
x.prototype.shouldComponentUpdate = function(i4, n3) {
  if (this.__R) return true;
  var r4 = this.__$u, t20 = r4 && void 0 !== r4.s;
  for (var f5 in n3) return true;
  if (this.__f || "boolean" == typeof this.u && true === this.u) {
    var o5 = 2 & this.__$f;
    if (!(t20 || o5 || 4 & this.__$f)) return true;
    if (1 & this.__$f) return true;
  } else {
    if (!(t20 || 4 & this.__$f)) return true;
    if (3 & this.__$f) return true;
  }
  for (var e4 in i4) if ("__source" !== e4 && i4[e4] !== this.props[e4]) return true;
  for (var u4 in this.props) if (!(u4 in i4)) return true;
  return false;
};
function useSignal(i4, n3) {
  return w2(function() {
    return y3(i4, n3);
  }, []);
}
var A3 = function(i4) {
  queueMicrotask(function() {
    queueMicrotask(i4);
  });
};
function F3() {
  r3(function() {
    var i4;
    while (i4 = g4.shift()) h4.call(i4);
  });
}
function M() {
  if (1 === g4.push(this)) (n.requestAnimationFrame || A3)(F3);
}

// src/shell/auth.ts
var auth = y3({ is: "starting" });
var me = () => "account" in auth.value ? auth.value.account : void 0;
var kept;
function useKeeper(keeper2) {
  kept = keeper2;
}
function keeper() {
  if (!kept) throw new Error("no room keeps the session");
  return kept;
}

// src/shell/i18n.ts
var languages = { en: "English", de: "Deutsch" };
var stored = "coffer.lang";
var lang = y3("en");
function isLang(tag) {
  return Object.hasOwn(languages, tag);
}
function pickLang(tags) {
  for (const tag of tags) {
    const base = tag.toLowerCase().split("-")[0] ?? "";
    if (isLang(base)) return base;
  }
  return "en";
}
function startLang() {
  const chosen3 = localStorage.getItem(stored);
  show(pickLang(chosen3 ? [chosen3] : navigator.languages));
}
function setLang(l4) {
  localStorage.setItem(stored, l4);
  show(l4);
}
function show(l4) {
  lang.value = l4;
  document.documentElement.lang = l4;
}
function fill(message, values, l4) {
  let text2;
  if (typeof message === "string") {
    text2 = message;
  } else {
    text2 = new Intl.PluralRules(l4).select(Number(values.count)) === "one" ? message.one : message.other;
  }
  return text2.replace(/\{(\w+)\}/g, (whole7, name) => {
    const value = values[name];
    if (value === void 0) return whole7;
    return typeof value === "number" ? new Intl.NumberFormat(l4).format(value) : value;
  });
}
function catalog(c4) {
  const t20 = (key3, values = {}) => fill(c4[lang.value][key3], values, lang.value);
  return Object.assign(t20, {
    catalog: c4,
    find: (key3, values) => Object.hasOwn(c4.en, key3) ? t20(key3, values) : void 0
  });
}
var units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte"];
function size(bytes2) {
  let n3 = bytes2;
  let unit2 = 0;
  while (n3 >= 999.5 && unit2 < units.length - 1) {
    n3 /= 1e3;
    unit2++;
  }
  return new Intl.NumberFormat(lang.value, {
    style: "unit",
    unit: units[unit2],
    unitDisplay: unit2 === 0 ? "long" : "short",
    maximumFractionDigits: unit2 > 0 && n3 < 10 ? 1 : 0
  }).format(n3);
}
function duration(seconds) {
  const [unit2, length] = seconds < 60 ? ["second", 1] : seconds < 3600 - 30 ? ["minute", 60] : ["hour", 3600];
  return new Intl.NumberFormat(lang.value, { style: "unit", unit: unit2, unitDisplay: "long" }).format(Math.round(seconds / length));
}
function dateTime(at) {
  return new Intl.DateTimeFormat(lang.value, { dateStyle: "long", timeStyle: "short" }).format(new Date(at));
}
function clock(at) {
  return new Intl.DateTimeFormat(lang.value, { timeStyle: "short" }).format(new Date(at));
}
function date(at) {
  return new Intl.DateTimeFormat(lang.value, { dateStyle: "medium" }).format(new Date(at));
}
var steps = [["minute", 60], ["hour", 3600], ["day", 86400]];
function ago(at, now = Date.now()) {
  const seconds = Math.max(0, (now - Date.parse(at)) / 1e3);
  if (seconds >= 7 * 86400) return date(at);
  const relative = new Intl.RelativeTimeFormat(lang.value, { numeric: "auto" });
  if (seconds < 60) return relative.format(0, "second");
  let [unit2, length] = steps[0];
  for (const step of steps) if (seconds >= step[1]) [unit2, length] = step;
  return relative.format(-Math.floor(seconds / length), unit2);
}

// src/shell/room.ts
var all = [];
function useRooms(rooms3) {
  all = rooms3;
}
function rooms() {
  return all;
}
function collect(give2) {
  return all.flatMap((room) => give2(room) ?? []).sort((a5, b4) => a5.order - b4.order);
}
var doors = () => collect((room) => room.door);
var signInDoor = () => doors().find((door) => door.signsIn);
var signInPath = () => signInDoor()?.href ?? "/";
var wayBack = (to) => all.find((room) => room.waysBack)?.waysBack?.[to];
var places = () => collect((room) => room.places);
var entryParts = () => collect((room) => room.entry);
var folders = () => all.find((room) => room.folders)?.folders;
var signInForm = () => all.find((room) => room.signInForm)?.signInForm;
var securityPage = () => all.find((room) => room.securityPage)?.securityPage;
function stepsOf(lines, on) {
  return Object.keys(lines).filter((name) => layerStep(name) && lines[name].enabled === on).sort((a5, b4) => layerStep(a5).order - layerStep(b4).order);
}
var repairPath = () => all.find((room) => room.repair)?.repair ?? "/";
var firstPlace = () => places()[0]?.href ?? "/";
function layerStep(name) {
  for (const room of all) if (room.layers && Object.hasOwn(room.layers, name)) return room.layers[name];
  return void 0;
}

// src/shell/words.ts
var t4 = catalog({
  en: {
    copy: "Copy",
    copied: "Copied",
    copyFailed: "The browser did not allow copying. Select the text instead.",
    skip: "Skip to the content",
    nav: "Main",
    new: "New",
    more: "More",
    menu: "Account menu of {name}",
    look: "Language and appearance",
    lookHint: "For this browser only.",
    language: "Language",
    theme: "Appearance",
    theme_auto: "Same as system",
    theme_light: "Light",
    theme_dark: "Dark",
    api: "API",
    transfers: { one: "{count} transfer is running, {percent} % done", other: "{count} transfers are running, {percent} % done" },
    transfersOpen: { one: "{count} transfer is running", other: "{count} transfers are running" },
    transfersOver: "All transfers are over",
    transfersFailed: { one: "{count} transfer failed", other: "{count} transfers failed" },
    transfersRest: { one: "{count} transfer waits for you", other: "{count} transfers wait for you" },
    lost: "Page not found",
    lostText: "There is no page at this address. The link may be old, or a letter may be missing.",
    home: "Go to home page",
    heroTitle: "A safe place for your files",
    heroText: "Your files are stored encrypted. You see every device that is signed in, and can sign any of them out.",
    cancel: "Cancel",
    or: "or",
    showPassword: "Show password",
    wait: "Too many tries. You can try again in {time}.",
    waitLittle: "Too many tries. You can try again in less than a minute.",
    waitButton: "Wait {time}",
    loading: "Loading …",
    again: "Try again",
    report: "Number for a report: {id}",
    dismiss: "Dismiss",
    close: "Close",
    password: "Password",
    ruleLength: "At least {count} characters",
    ruleMet: "(met)",
    ruleOwn: "Not just your name, username or e-mail",
    ruleWords: "Several words in a row work well. Common passwords are refused.",
    resend: "Send again",
    resendWait: "Send again in {time}",
    another: "Send another code",
    anotherWait: "Send another code in {time}",
    anotherSent: "A new code is on its way. The older one no longer works.",
    newPassword: "Choose a new password",
    on: "On",
    off: "Off",
    onSince: "On since",
    lastUsed: "last used",
    neverUsed: "not used yet",
    turnOff: "Turn off",
    turnOffBoth: "Turn all off",
    waysBackTitle: "Turn off your ways back in too?",
    waysBackText: "Your ways back in need two sign-in steps. Without this step they end too:",
    waysBackKeep: "To keep them, cancel and turn on another step first.",
    linkGone: "This link no longer works",
    linkDamaged: "This link is not complete",
    ruleStranger: "Several words in a row work well. Your name, username or e-mail alone and common passwords are refused.",
    linkDamagedText: "A part of the address is missing. Copy the whole link from the mail.",
    perSecond: "{size}/s",
    timeLeft: "{time} left",
    stalled: "Nothing moves just now",
    downloadOf: "Download {name}",
    previous: "Previous file",
    next: "Next file",
    nth: "File {n}",
    nthOf: "{n} of {count}",
    beingRead: "Being opened …",
    contentsOf: "Text of {name}",
    noPreview: "This file cannot be shown here. Download it to open it on your device.",
    tooLargeToShow: "With {size} this file is too large to be shown here. Download it to open it on your device.",
    download: "Download",
    show: "Show",
    readingOf: "How much of {name} is read"
  },
  de: {
    copy: "Kopieren",
    copied: "Kopiert",
    copyFailed: "Der Browser hat das Kopieren nicht erlaubt. Markieren Sie stattdessen den Text.",
    skip: "Zum Inhalt springen",
    nav: "Hauptmenü",
    new: "Neu",
    more: "Mehr",
    menu: "Kontomenü von {name}",
    look: "Sprache und Aussehen",
    lookHint: "Nur für diesen Browser.",
    language: "Sprache",
    theme: "Aussehen",
    theme_auto: "Wie das System",
    theme_light: "Hell",
    theme_dark: "Dunkel",
    api: "API",
    transfers: { one: "{count} Übertragung läuft, {percent} % fertig", other: "{count} Übertragungen laufen, {percent} % fertig" },
    transfersOpen: { one: "{count} Übertragung läuft", other: "{count} Übertragungen laufen" },
    transfersOver: "Alle Übertragungen sind beendet",
    transfersFailed: { one: "{count} Übertragung ist fehlgeschlagen", other: "{count} Übertragungen sind fehlgeschlagen" },
    transfersRest: { one: "{count} Übertragung wartet auf Sie", other: "{count} Übertragungen warten auf Sie" },
    lost: "Seite nicht gefunden",
    lostText: "Unter dieser Adresse gibt es keine Seite. Vielleicht ist der Link alt, oder es fehlt ein Zeichen.",
    home: "Zur Startseite",
    heroTitle: "Ein sicherer Ort für Ihre Dateien",
    heroText: "Ihre Dateien werden verschlüsselt gespeichert. Sie sehen jedes angemeldete Gerät und können jedes davon abmelden.",
    cancel: "Abbrechen",
    or: "oder",
    showPassword: "Passwort anzeigen",
    wait: "Zu viele Versuche. In {time} können Sie es wieder versuchen.",
    waitLittle: "Zu viele Versuche. In weniger als einer Minute können Sie es wieder versuchen.",
    waitButton: "Noch {time}",
    loading: "Wird geladen …",
    again: "Noch einmal versuchen",
    report: "Nummer für eine Meldung: {id}",
    dismiss: "Ausblenden",
    close: "Schließen",
    password: "Passwort",
    ruleLength: "Mindestens {count} Zeichen",
    ruleMet: "(erfüllt)",
    ruleOwn: "Nicht nur Name, Benutzername oder E-Mail",
    ruleWords: "Mehrere Wörter hintereinander sind gut. Häufige Passwörter werden abgelehnt.",
    resend: "Noch einmal senden",
    resendWait: "Noch einmal in {time}",
    another: "Noch einen Code senden",
    anotherWait: "Noch einen Code senden in {time}",
    anotherSent: "Ein neuer Code ist unterwegs. Der ältere gilt nicht mehr.",
    newPassword: "Neues Passwort wählen",
    on: "An",
    off: "Aus",
    onSince: "An seit",
    lastUsed: "zuletzt benutzt",
    neverUsed: "noch nicht benutzt",
    turnOff: "Ausschalten",
    turnOffBoth: "Alles ausschalten",
    waysBackTitle: "Auch Ihre Wege zurück ausschalten?",
    waysBackText: "Ihre Wege zurück brauchen zwei Anmeldeschritte. Ohne diesen Schritt enden auch sie:",
    waysBackKeep: "Um sie zu behalten, brechen Sie ab und schalten Sie zuerst einen anderen Schritt ein.",
    linkGone: "Dieser Link gilt nicht mehr",
    linkDamaged: "Dieser Link ist nicht vollständig",
    ruleStranger: "Mehrere Wörter hintereinander sind gut. Nur Name, Benutzername oder E-Mail und häufige Passwörter werden abgelehnt.",
    linkDamagedText: "Ein Teil der Adresse fehlt. Kopieren Sie den ganzen Link aus der Mail.",
    perSecond: "{size}/s",
    timeLeft: "noch {time}",
    stalled: "Gerade bewegt sich nichts",
    downloadOf: "{name} herunterladen",
    previous: "Vorige Datei",
    next: "Nächste Datei",
    nth: "Datei {n}",
    nthOf: "{n} von {count}",
    beingRead: "Wird geöffnet …",
    contentsOf: "Text von {name}",
    noPreview: "Diese Datei lässt sich hier nicht anzeigen. Laden Sie sie herunter, um sie auf Ihrem Gerät zu öffnen.",
    tooLargeToShow: "Mit {size} ist diese Datei zu groß, um sie hier anzuzeigen. Laden Sie sie herunter, um sie auf Ihrem Gerät zu öffnen.",
    download: "Herunterladen",
    show: "Ansehen",
    readingOf: "Wie viel von {name} gelesen ist"
  }
});
var problems = catalog({
  en: {
    offline: "The server cannot be reached. Check your connection and try again.",
    cancelled: "Cancelled.",
    unavailable: "The server is busy just now. Nothing was lost; try again in a moment.",
    rate_limited: "Too many tries. Please wait a little.",
    download_broken: "The download broke, and nothing was saved. Try again.",
    too_many_streams: "Too many uploads and downloads run at once. Try again in a moment.",
    unauthenticated: "You are signed out. Sign in to continue.",
    invalid_proof: "This browser can no longer prove who is signed in. Please sign in again.",
    step_up_required: "Confirm that it is you to continue.",
    validation_failed: "Please check the marked fields.",
    not_found: "This does not exist, or no longer.",
    body_too_large: "This is larger than the server takes.",
    body_unreadable: "The connection broke before everything had arrived. Try again.",
    invalid_code: "That code is not right. Check it and try again.",
    code_expired: "This code has expired, was used already, or had too many wrong tries. Send yourself another code.",
    no_more_codes: "No more codes are sent here. Start again.",
    earlier_layers_open: "This step comes last. Finish the other steps first.",
    recovery_needs_two_layers: "Your ways back in need two sign-in steps. Turn another step on first, or agree that they are turned off too.",
    invalid_json: "The page sent something that the server does not understand. Reload the page and try again.",
    malformed_body: "The page sent something that the server does not understand. Reload the page and try again.",
    malformed_request: "The page sent something that the server does not understand. Reload the page and try again.",
    method_not_allowed: "The page asked for something that the server does not know. Reload the page and try again.",
    unsupported_media_type: "The page sent something that the server does not understand. Reload the page and try again.",
    cross_origin: "The server refused this, because it came from another site.",
    unknown_host: "The server does not know the address in your address bar. Ask the person who runs it for the right one.",
    busy: "The server is busy just now. Try again in a moment.",
    app_error: "Something went wrong on this page. Reload it and try again.",
    internal_error: "Something went wrong on the server. Try again in a moment.",
    other: "That did not work.",
    field_required: "Please fill this in.",
    field_too_short: "This is too short.",
    field_too_short_count: "Please use at least {count} characters.",
    field_too_long: "This is too long.",
    field_too_long_count: "Please use at most {count} characters.",
    field_invalid: "This is not valid.",
    field_invalid_characters: "Remove invisible characters from this text.",
    field_malformed: "This is not valid.",
    field_duplicate: "This was sent twice. Reload the page and try again.",
    field_unknown_field: "The server does not know this field. Reload the page and try again.",
    field_invalid_cursor: "The list has changed. Reload the page.",
    link_gone: "This link or code was used already, was replaced by a newer one, or has expired. Send yourself a new one.",
    invalid_credentials: "Wrong e-mail, username or password.",
    invalid_client: "The id or secret of the resource server is wrong.",
    account_deactivated: "This account is deactivated.",
    field_too_common: "This password is one of the most common. Choose another one.",
    field_too_personal: "This password is only your name, username or e-mail address. Add something else, or choose another one.",
    last_way_in: "This is your last way to sign in. Choose a password or add another way first.",
    field_other: "This is not valid."
  },
  de: {
    offline: "Der Server ist nicht erreichbar. Prüfen Sie die Verbindung und versuchen Sie es noch einmal.",
    cancelled: "Abgebrochen.",
    unavailable: "Der Server ist gerade ausgelastet. Nichts ging verloren; versuchen Sie es gleich noch einmal.",
    rate_limited: "Zu viele Versuche. Bitte warten Sie ein wenig.",
    download_broken: "Der Download brach ab, und nichts wurde gespeichert. Versuchen Sie es noch einmal.",
    too_many_streams: "Zu viele Übertragungen laufen gleichzeitig. Versuchen Sie es gleich noch einmal.",
    unauthenticated: "Sie sind abgemeldet. Melden Sie sich an, um fortzufahren.",
    invalid_proof: "Dieser Browser kann nicht mehr nachweisen, wer angemeldet ist. Bitte melden Sie sich noch einmal an.",
    step_up_required: "Bestätigen Sie, dass Sie es sind, um fortzufahren.",
    validation_failed: "Bitte prüfen Sie die markierten Felder.",
    not_found: "Das gibt es nicht oder nicht mehr.",
    body_too_large: "Das ist größer, als der Server annimmt.",
    body_unreadable: "Die Verbindung brach ab, bevor alles angekommen war. Versuchen Sie es noch einmal.",
    invalid_code: "Dieser Code stimmt nicht. Prüfen Sie ihn und versuchen Sie es noch einmal.",
    code_expired: "Dieser Code ist abgelaufen, wurde schon benutzt oder zu oft falsch eingegeben. Lassen Sie sich noch einen Code senden.",
    no_more_codes: "Hier werden keine weiteren Codes gesendet. Beginnen Sie von vorn.",
    earlier_layers_open: "Dieser Schritt kommt zuletzt. Schließen Sie zuerst die anderen Schritte ab.",
    recovery_needs_two_layers: "Ihre Wege zurück brauchen zwei Anmeldeschritte. Schalten Sie zuerst einen weiteren ein, oder stimmen Sie zu, dass sie mit ausgeschaltet werden.",
    invalid_json: "Die Seite hat etwas gesendet, das der Server nicht versteht. Laden Sie sie neu und versuchen Sie es noch einmal.",
    malformed_body: "Die Seite hat etwas gesendet, das der Server nicht versteht. Laden Sie sie neu und versuchen Sie es noch einmal.",
    malformed_request: "Die Seite hat etwas gesendet, das der Server nicht versteht. Laden Sie sie neu und versuchen Sie es noch einmal.",
    method_not_allowed: "Die Seite hat etwas verlangt, das der Server nicht kennt. Laden Sie sie neu und versuchen Sie es noch einmal.",
    unsupported_media_type: "Die Seite hat etwas gesendet, das der Server nicht versteht. Laden Sie sie neu und versuchen Sie es noch einmal.",
    cross_origin: "Der Server hat das abgelehnt, weil es von einer anderen Website kam.",
    unknown_host: "Der Server kennt die Adresse in Ihrer Adressleiste nicht. Fragen Sie, wer ihn betreibt, nach der richtigen.",
    busy: "Der Server ist gerade ausgelastet. Versuchen Sie es gleich noch einmal.",
    app_error: "Auf dieser Seite ging etwas schief. Laden Sie sie neu und versuchen Sie es noch einmal.",
    internal_error: "Auf dem Server ging etwas schief. Versuchen Sie es gleich noch einmal.",
    other: "Das hat nicht geklappt.",
    field_required: "Bitte ausfüllen.",
    field_too_short: "Das ist zu kurz.",
    field_too_short_count: "Bitte mindestens {count} Zeichen verwenden.",
    field_too_long: "Das ist zu lang.",
    field_too_long_count: "Bitte höchstens {count} Zeichen verwenden.",
    field_invalid: "Das ist nicht gültig.",
    field_invalid_characters: "Entfernen Sie unsichtbare Zeichen aus diesem Text.",
    field_malformed: "Das ist nicht gültig.",
    field_duplicate: "Das wurde zweimal gesendet. Laden Sie die Seite neu und versuchen Sie es noch einmal.",
    field_unknown_field: "Der Server kennt dieses Feld nicht. Laden Sie die Seite neu und versuchen Sie es noch einmal.",
    field_invalid_cursor: "Die Liste hat sich geändert. Laden Sie die Seite neu.",
    link_gone: "Dieser Link oder Code wurde schon benutzt, durch einen neueren ersetzt oder ist abgelaufen. Lassen Sie sich einen neuen senden.",
    invalid_credentials: "E-Mail, Benutzername oder Passwort falsch.",
    invalid_client: "Kennung oder Geheimnis des Dienstes ist falsch.",
    account_deactivated: "Dieses Konto ist deaktiviert.",
    field_too_common: "Dieses Passwort gehört zu den häufigsten. Wählen Sie ein anderes.",
    field_too_personal: "Dieses Passwort besteht nur aus Ihrem Namen, Benutzernamen oder Ihrer E-Mail-Adresse. Ergänzen Sie es oder wählen Sie ein anderes.",
    last_way_in: "Das ist Ihr letzter Weg, sich anzumelden. Wählen Sie zuerst ein Passwort oder fügen Sie einen anderen Weg hinzu.",
    field_other: "Das ist nicht gültig."
  }
});

// src/shell/problem.ts
var Problem = class extends Error {
  status;
  // 0: no answer arrived
  code;
  detail;
  requestId;
  fields;
  retryAfter;
  // seconds; 0 when the server named none
  constructor(p5) {
    super(p5.code);
    this.name = "Problem";
    this.status = p5.status;
    this.code = p5.code;
    this.detail = p5.detail ?? "";
    this.requestId = p5.requestId ?? "";
    this.fields = p5.fields ?? [];
    this.retryAfter = p5.retryAfter ?? 0;
  }
  // wait is after how many seconds a program may try again by itself; 0: it must not.
  get wait() {
    return this.code === "too_many_streams" || this.status === 503 ? this.retryAfter : 0;
  }
  // temporary: the same call may succeed soon.
  get temporary() {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
};
var offline = () => new Problem({ status: 0, code: "offline" });
var cancelled = () => new Problem({ status: 0, code: "cancelled" });
function problemOf(status, body, retryAfter) {
  const doc = typeof body === "object" && body !== null ? body : {};
  const text2 = (name) => typeof doc[name] === "string" ? doc[name] : "";
  const fields = [];
  if (Array.isArray(doc.errors)) {
    for (const e4 of doc.errors) {
      if (typeof e4?.pointer === "string") fields.push({ pointer: e4.pointer, code: String(e4.code ?? ""), detail: String(e4.detail ?? "") });
    }
  }
  return new Problem({
    status,
    code: text2("code") || "http_" + status,
    detail: text2("detail") || text2("title"),
    requestId: text2("request_id"),
    fields,
    retryAfter: waitOf(retryAfter, Date.now())
  });
}
function waitOf(header, now) {
  if (!header) return 0;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, Math.ceil(seconds));
  const at = Date.parse(header);
  return Number.isNaN(at) ? 0 : Math.max(0, Math.ceil((at - now) / 1e3));
}
function asProblem(err2) {
  if (err2 instanceof Problem) return err2;
  console.error(err2);
  return new Problem({ status: -1, code: "app_error" });
}
function fieldName(pointer) {
  return pointer.replace(/^\/(body\/)?/, "").replace(/~1/g, "/").replace(/~0/g, "~");
}
function worded(code, values) {
  for (const words2 of [problems, ...rooms().map((room) => room.problems)]) {
    const text2 = words2?.find(code, values);
    if (text2) return text2;
  }
  return void 0;
}
function say(p5) {
  if (p5.status === 429 && p5.retryAfter > 0) return sayWait(p5.retryAfter);
  const words2 = worded(p5.code);
  if (words2) return words2;
  if (p5.temporary) return problems("unavailable");
  if (p5.detail && lang.value === "en") return p5.detail;
  return problems("other");
}
function sayWait(seconds) {
  return seconds < 60 ? t4("waitLittle") : t4("wait", { time: duration(seconds) });
}
function sayField(f5) {
  const code = "field_" + (f5.code ?? "");
  const count2 = /\d+/.exec(f5.detail ?? "")?.[0];
  const words2 = count2 && worded(code + "_count", { count: Number(count2) }) || worded(code);
  if (words2) return words2;
  return lang.value === "en" && f5.detail || problems("field_other");
}

// src/shell/api.ts
async function call(method, path3, ...[options]) {
  const once = async () => await bodyOf(await respond(method, path3, options));
  return options?.quiet ? once() : proven(once);
}
var proofs = 0;
async function proven(work4) {
  const before2 = proofs;
  try {
    return await work4();
  } catch (err2) {
    if (!(err2 instanceof Problem) || err2.code !== "step_up_required") throw err2;
    if (proofs === before2) {
      if (!await keeper().prove()) throw cancelled();
      proofs++;
    }
    return work4();
  }
}
var get = (path3, ...rest) => call("get", path3, ...rest);
var post = (path3, ...rest) => call("post", path3, ...rest);
var put = (path3, ...rest) => call("put", path3, ...rest);
var patch = (path3, ...rest) => call("patch", path3, ...rest);
var del = (path3, ...rest) => call("delete", path3, ...rest);
function stream(path3, ...[options]) {
  return proven(() => respond("get", path3, options));
}
function streamOf(path3, ...[options]) {
  return proven(() => respond("post", path3, options));
}
async function respond(method, path3, options = {}) {
  if (options.attempt) return send(method, path3, options, "Attempt " + options.attempt);
  if (!options.open) return withToken((token2) => send(method, path3, { ...options, signed: true }, "Bearer " + token2));
  try {
    return await send(method, path3, options);
  } catch (err2) {
    if (!proofRefused(err2)) throw err2;
    return send(method, path3, options);
  }
}
async function withToken(once) {
  const token2 = await keeper().token();
  try {
    return await once(token2);
  } catch (err2) {
    if (tokenEnded(err2)) await keeper().renew(token2);
    else if (!proofRefused(err2)) throw err2;
    return once(await keeper().token());
  }
}
function tokenEnded(err2) {
  return err2 instanceof Problem && err2.code === "unauthenticated" && me() !== void 0;
}
function proofRefused(err2) {
  return err2 instanceof Problem && err2.code === "invalid_proof";
}
var ahead = 0;
function hearTime(date2) {
  if (date2) ahead = Date.parse(date2) - Date.now();
}
var serverNow = () => Date.now() + ahead;
function proof(method, to, authorization, body) {
  return keeper().sign({ method, address: to, authorization, body, at: serverNow() });
}
async function send(method, path3, { path: named, query, body, raw, signal, signed: signed3 }, authorization) {
  const to = address(path3, query, named);
  const json = body === void 0 ? void 0 : JSON.stringify(body);
  const headers = { Accept: "application/json", ...signed3 && await proof(method, to, authorization, json) };
  if (authorization) headers.Authorization = authorization;
  if (json !== void 0) headers["Content-Type"] = "application/json";
  else if (raw) headers["Content-Type"] = raw.type || "application/octet-stream";
  let response;
  try {
    response = await fetch(to, { method: method.toUpperCase(), headers, body: json ?? raw, signal, credentials: "same-origin", cache: "no-store" });
  } catch (err2) {
    if (signal?.aborted) throw err2;
    throw offline();
  }
  hearTime(response.headers.get("Date"));
  if (!response.ok) throw problemOf(response.status, await bodyOf(response), response.headers.get("Retry-After"));
  return response;
}
function address(path3, query = {}, named = {}) {
  const values = named;
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== void 0 && value !== "") search.set(name, String(value));
  const tail = search.toString();
  return "/v1" + path3.replace(/\{(\w+)\}/g, (_4, name) => encodeURIComponent(values[name])) + (tail ? "?" + tail : "");
}
async function bodyOf(response) {
  const text2 = await response.text().catch(() => "");
  if (!text2 || !/json/.test(response.headers.get("Content-Type") ?? "")) return void 0;
  try {
    return JSON.parse(text2);
  } catch {
    return void 0;
  }
}

// node_modules/preact/jsx-runtime/dist/jsxRuntime.mjs
var f4 = /* @__PURE__ */ Symbol.for("pv");
var o4 = 0;
function a4(t20, e4, n3, u4, a5, i4) {
  e4 || (e4 = {});
  var c4, l4, p5 = e4;
  if ("ref" in p5 && "function" != typeof t20) for (l4 in p5 = {}, e4) "ref" == l4 ? c4 = e4[l4] : p5[l4] = e4[l4];
  var s4 = { type: t20, props: p5, key: n3, ref: c4, __k: null, __: null, __b: 0, __e: null, __c: null, constructor: f4, __v: --o4, __i: -1, __u: 0 };
  return (a5 || i4) && (s4.__source = a5, s4.__self = i4), n.vnode && n.vnode(s4), s4;
}

// src/shell/icon.tsx
var drawings = {
  archive: "M4 5h16v4H4zM5.5 9v9.5h13V9M10 13h4",
  arrowDown: "M12 5v14M6 13l6 6 6-6",
  arrowUp: "M12 19V5M6 11l6-6 6 6",
  audio: "M9 18V6l10-2v12M9 18a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0zM19 16a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z",
  back: "M15 6l-6 6 6 6",
  check: "M5 12.5l4.5 4.5L19 7.5",
  chevron: "M9 6l6 6-6 6",
  close: "M6 6l12 12M18 6L6 18",
  code: "M8.5 7.5L4 12l4.5 4.5M15.5 7.5L20 12l-4.5 4.5M13.5 5l-3 14",
  copy: "M9 9h10v11H9zM5 15V4h10",
  device: "M4 5h16v10H4zM2.5 19h19M9.5 15l-.5 4M14.5 15l.5 4",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5z",
  eyeOff: "M4 4l16 16M9.9 5.800A9 9 0 0 1 12 5.5c6 0 9.5 6.5 9.5 6.5a15 15 0 0 1-3 3.600M6.5 7.600A15 15 0 0 0 2.5 12s3.5 6.5 9.5 6.5a9 9 0 0 0 4-.9",
  file: "M6 3.5h8l4.5 4.5v12.5H6zM14 3.5V8h4.5",
  folder: "M3 6.5A1.5 1.5 0 0 1 4.5 5h4.600l2 2.5h8.400A1.5 1.5 0 0 1 21 9v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 18z",
  folderPlus: "M3 6.5A1.5 1.5 0 0 1 4.5 5h4.600l2 2.5h8.400A1.5 1.5 0 0 1 21 9v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 18zM12 11v5M9.5 13.5h5",
  history: "M4.5 9.500A8 8 0 1 1 4 13M4 5v4.500h4.500M12 8v4.500l3 2",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 2.5-2.5L20 17M15.5 8.5h.01",
  inbox: "M3.5 13.500L6 5h12l2.500 8.500V19h-17zM3.5 13.500h5a3.500 3.500 0 0 0 7 0h5",
  key: "M8 11a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM11.2 12.300L20 3.500M16 7.500l3 3M13.500 10l2 2",
  link: "M10 14a4 4 0 0 0 5.700.3l3-3a4 4 0 0 0-5.700-5.700l-1.500 1.500M14 10a4 4 0 0 0-5.700-.3l-3 3a4 4 0 0 0 5.700 5.700l1.500-1.500",
  list: "M9 7h11M9 12h11M9 17h11M4.5 7h.01M4.5 12h.01M4.5 17h.01",
  look: "M12 3.5a8.5 8.5 0 1 0 0 17zM12 3.5a8.5 8.5 0 0 1 0 17M12 8h6.500M12 12h8.500M12 16h6.500",
  mail: "M3.5 6h17v12h-17zM3.5 7l8.5 6.5L20.5 7",
  menu: "M4.5 7h15M4.5 12h15M4.5 17h15",
  more: "M12 5.5v.01M12 12v.01M12 18.5v.01",
  move: "M3 6.5A1.5 1.5 0 0 1 4.5 5h4.600l2 2.5h8.400A1.5 1.5 0 0 1 21 9v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 18zM8.5 13.5h7M12.5 10.5l3 3-3 3",
  pause: "M9 5.5v13M15 5.5v13",
  pencil: "M5 19l1-4L16.5 4.5l3 3L9 18zM14.5 6.5l3 3",
  phone: "M7.5 3h9v18h-9zM11 18h2",
  play: "M8 5.5l10 6.5-10 6.5z",
  plus: "M12 5v14M5 12h14",
  print: "M7 8.5V4h10v4.5M7 17H4.5V8.5h15V17H17M7 14h10v6H7z",
  restore: "M4.5 12a7.5 7.5 0 1 0 2.2-5.300L4 9.5M4 4.500v5h5M12 8v4.500l3 1.800",
  retry: "M19.5 12a7.5 7.5 0 1 1-2.2-5.300L20 9.5M20 4.5v5h-5",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L20.5 20.5",
  share: "M17.5 3a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM6.5 9.500a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM17.5 16a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM8.700 10.700l6.600-3.900M8.700 13.300l6.600 3.900",
  shield: "M12 3l7.5 3v5.5c0 4.5-3 8-7.5 9.5-4.5-1.5-7.5-5-7.5-9.5V6zM8.5 12l2.5 2.5 4.5-5",
  signOut: "M14 4H5v16h9M10 12h10.5M17 8.5l3.5 3.5-3.5 3.5",
  storage: "M4 5h16v6H4zM4 13h16v6H4zM7.500 8h.01M7.500 16h.01",
  swap: "M8 20V4M4 8l4-4 4 4M16 4v16M12 16l4 4 4-4",
  tiles: "M4 4h6.5v6.5H4zM13.5 4H20v6.5h-6.5zM4 13.5h6.5V20H4zM13.5 13.5H20V20h-6.5z",
  trash: "M4 6.5h16M9 6.5V4h6v2.5M6 6.5l1 14h10l1-14M10 10.5v6M14 10.5v6",
  upload: "M12 20V9M7 13l5-5 5 5M5 4h14",
  user: "M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5c.5-4 3.5-6 7.5-6s7 2 7.5 6",
  video: "M4 5h16v14H4zM10 9l5 3-5 3z",
  warning: "M12 4L2.5 20h19zM12 10v4.5M12 17.200h.01"
};
function Icon({ name, class: extra }) {
  return /* @__PURE__ */ a4("svg", { class: "icon" + (name === "more" ? " dots" : "") + (extra ? " " + extra : ""), viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false", children: /* @__PURE__ */ a4("path", { d: drawings[name] }) });
}
function Mark() {
  return /* @__PURE__ */ a4("svg", { class: "mark", viewBox: "0 0 32 32", "aria-hidden": "true", focusable: "false", children: [
    /* @__PURE__ */ a4("path", { class: "mark-body", d: "M4 14.5V12.5A7.5 7.5 0 0 1 11.5 5h9a7.5 7.5 0 0 1 7.5 7.5v2h-9a3 3 0 0 0-6 0zM4 17h9v1a3 3 0 0 0 6 0v-1h9v7a3 3 0 0 1-3 3H7a3 3 0 0 1-3-3z" }),
    /* @__PURE__ */ a4("rect", { class: "mark-lock", x: "15", y: "13", width: "2", height: "6.5", rx: "1" })
  ] });
}

// src/shell/typed.ts
var stored2 = "coffer.typed";
var lasts = 15 * 6e4;
var controls = (form) => [...form.elements].filter((c4) => c4.name && c4.matches("input:not([readonly], [type=password], [data-secret]), textarea, select"));
var namesOf = (form) => controls(form).map((c4) => c4.name).join(" ");
function keepTyped() {
  const forms = [...document.forms].flatMap((form) => {
    const values = Object.fromEntries(controls(form).map((c4) => [c4.type === "radio" ? "" : c4.name, isCheck(c4) ? c4.checked : c4.value]));
    delete values[""];
    return Object.keys(values).length > 0 ? [{ names: namesOf(form), values }] : [];
  });
  sessionStorage.setItem(stored2, JSON.stringify({ at: Date.now(), page: location.pathname, forms }));
}
var isCheck = (c4) => c4.type === "checkbox";
function giveBack(form) {
  const text2 = sessionStorage.getItem(stored2);
  if (!text2) return;
  const kept4 = JSON.parse(text2);
  const at = kept4.page === location.pathname && Date.now() - kept4.at < lasts ? kept4.forms.findIndex(({ names: names2 }) => names2 === namesOf(form)) : -1;
  if (at < 0) return;
  const [{ values }] = kept4.forms.splice(at, 1);
  if (kept4.forms.length > 0) sessionStorage.setItem(stored2, JSON.stringify(kept4));
  else sessionStorage.removeItem(stored2);
  for (const c4 of controls(form)) {
    const value = values[c4.name];
    if (value === void 0 || value === (isCheck(c4) ? c4.checked : c4.value)) continue;
    if (isCheck(c4)) c4.checked = value;
    else c4.value = value;
    c4.dispatchEvent(new Event("input", { bubbles: true }));
    c4.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

// src/shell/remedy.tsx
function Remedy({ problem: problem2 }) {
  for (const { remedies } of rooms()) {
    const to = remedies && Object.hasOwn(remedies, problem2.code) ? remedies[problem2.code] : void 0;
    if (to) return /* @__PURE__ */ a4($, { children: [
      " ",
      /* @__PURE__ */ a4("a", { href: to.href, children: to.label() })
    ] });
  }
  return null;
}

// src/shell/form.tsx
var Refused = U(void 0);
function Form({ onSubmit, submit, children, danger, onCancel, extra, wide, quiet: quiet2, icon, focus, asks }) {
  const [problem2, setProblem] = d2();
  const [busy3, setBusy] = d2(false);
  const [wait, setWait] = useWait();
  const form = T2(null);
  const id = P2();
  A2(() => setProblem(void 0), [asks]);
  F2(() => {
    giveBack(form.current);
    if (focus) form.current.querySelector("[type=submit]").focus();
  }, []);
  async function send4(event) {
    event.preventDefault();
    if (busy3 || wait > 0) return;
    const values = {};
    for (const [name, value] of new FormData(form.current)) if (typeof value === "string") values[name] = value;
    setBusy(true);
    try {
      await onSubmit(values);
      setProblem(void 0);
    } catch (err2) {
      const p5 = asProblem(err2);
      setProblem(p5.code === "cancelled" ? void 0 : p5);
      if (p5.status === 429 && p5.retryAfter) setWait(p5.retryAfter);
    } finally {
      setBusy(false);
    }
  }
  return /* @__PURE__ */ a4(Refused.Provider, { value: problem2, children: /* @__PURE__ */ a4("form", { ref: form, class: wide ? "form form-wide" : "form", onSubmit: send4, id, "aria-busy": busy3, children: [
    problem2 && /* @__PURE__ */ a4(Summary, { problem: problem2, form, wait }),
    children,
    /* @__PURE__ */ a4("div", { class: "form-actions", children: [
      /* @__PURE__ */ a4("button", { type: "submit", "data-first": focus, class: danger ? "button danger" : quiet2 ? "button" : "button primary", disabled: wait > 0, "aria-disabled": busy3, children: [
        busy3 ? /* @__PURE__ */ a4("span", { class: "spinner", "aria-hidden": "true" }) : icon && /* @__PURE__ */ a4(Icon, { name: icon }),
        wait > 0 ? t4("waitButton", { time: duration(wait) }) : submit
      ] }),
      onCancel && /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: onCancel, children: t4("cancel") }),
      extra
    ] })
  ] }) });
}
function Summary({ problem: problem2, form, wait }) {
  const box = T2(null);
  A2(() => box.current?.focus(), [problem2]);
  const fields = problem2.fields.map((f5) => {
    const input = form.current?.elements.namedItem(fieldName(f5.pointer));
    return { text: sayField(f5), input: input instanceof HTMLElement ? input : void 0 };
  });
  return /* @__PURE__ */ a4("div", { class: "notice bad", role: "alert", tabIndex: -1, ref: box, children: [
    /* @__PURE__ */ a4(Icon, { name: "warning" }),
    /* @__PURE__ */ a4("div", { children: [
      /* @__PURE__ */ a4("p", { children: [
        wait > 0 ? sayWait(wait) : say(problem2),
        /* @__PURE__ */ a4(Remedy, { problem: problem2 })
      ] }),
      fields.length > 0 && /* @__PURE__ */ a4("ul", { children: fields.map(({ text: text2, input }) => /* @__PURE__ */ a4("li", { children: input ? /* @__PURE__ */ a4("button", { type: "button", class: "link", onClick: () => input.focus(), children: labelOf(input) }) : text2 }, text2)) }),
      problem2.status >= 500 && problem2.requestId && /* @__PURE__ */ a4("p", { class: "small id", children: t4("report", { id: problem2.requestId }) })
    ] })
  ] });
}
function labelOf(input) {
  return input.labels?.[0]?.textContent ?? "";
}
function useWait() {
  const [left2, setLeft] = d2(0);
  const end4 = T2(0);
  A2(() => {
    if (left2 <= 0) return;
    const timer2 = setTimeout(() => setLeft(Math.max(0, Math.ceil((end4.current - Date.now()) / 1e3))), 1e3);
    return () => clearTimeout(timer2);
  }, [left2]);
  return [left2, (seconds) => {
    end4.current = Date.now() + seconds * 1e3;
    setLeft(seconds);
  }];
}
function Field(props) {
  const { name, label, onInput, selectName, autoFocus, secret, class: extra, value, type, hint: _4, ...rest } = props;
  const id = P2();
  const input = T2(null);
  const error = useFieldError(name);
  const hint = error ? void 0 : props.hint;
  F2(() => {
    if (!autoFocus) return;
    input.current.focus();
    if (selectName) {
      const dot = (value ?? "").lastIndexOf(".");
      input.current.setSelectionRange(0, dot > 0 ? dot : (value ?? "").length);
    }
  }, []);
  return /* @__PURE__ */ a4("div", { class: "field " + (extra ?? ""), children: [
    /* @__PURE__ */ a4("label", { for: id, children: label }),
    /* @__PURE__ */ a4(
      "input",
      {
        ...rest,
        ref: input,
        id,
        name,
        "data-first": autoFocus || void 0,
        "data-secret": secret ? "" : void 0,
        defaultValue: value,
        type: type ?? "text",
        "aria-invalid": error ? true : void 0,
        "aria-describedby": describedBy(id, hint, error),
        onInput: onInput && ((event) => onInput(event.currentTarget.value))
      }
    ),
    /* @__PURE__ */ a4(Below, { id, hint, error })
  ] });
}
function TextArea({ name, label, hint, value, maxLength }) {
  const id = P2();
  const error = useFieldError(name);
  return /* @__PURE__ */ a4("div", { class: "field", children: [
    /* @__PURE__ */ a4("label", { for: id, children: label }),
    /* @__PURE__ */ a4(
      "textarea",
      {
        id,
        name,
        defaultValue: value,
        rows: 3,
        maxLength,
        "aria-invalid": error ? true : void 0,
        "aria-describedby": describedBy(id, hint, error)
      }
    ),
    /* @__PURE__ */ a4(Below, { id, hint, error })
  ] });
}
function Select({ name, label, hint, value, options }) {
  const id = P2();
  const error = useFieldError(name);
  return /* @__PURE__ */ a4("div", { class: "field", children: [
    /* @__PURE__ */ a4("label", { for: id, children: label }),
    /* @__PURE__ */ a4("select", { id, name, "aria-describedby": describedBy(id, hint, error), children: Object.entries(options).map(([key3, text2]) => /* @__PURE__ */ a4("option", { value: key3, selected: key3 === value, children: text2 }, key3)) }),
    /* @__PURE__ */ a4(Below, { id, hint, error })
  ] });
}
function Password(props) {
  const { name, label, value, hint, onInput, autoFocus, ...rest } = props;
  const [shown2, setShown] = d2(false);
  const id = P2();
  const input = T2(null);
  const error = useFieldError(name);
  F2(() => {
    if (value) input.current.value = value;
    if (autoFocus) input.current.focus();
  }, []);
  return /* @__PURE__ */ a4("div", { class: "field", children: [
    /* @__PURE__ */ a4("label", { for: id, children: label }),
    /* @__PURE__ */ a4("div", { class: "with-button", children: [
      /* @__PURE__ */ a4(
        "input",
        {
          ...rest,
          ref: input,
          id,
          name,
          "data-first": autoFocus || void 0,
          "data-secret": "",
          type: shown2 ? "text" : "password",
          autoCapitalize: "none",
          spellcheck: false,
          "aria-invalid": error ? true : void 0,
          "aria-describedby": describedBy(id, hint, error),
          onInput: onInput && ((event) => onInput(event.currentTarget.value))
        }
      ),
      /* @__PURE__ */ a4("button", { type: "button", class: "icon-button", "aria-pressed": shown2, "aria-label": t4("showPassword"), title: t4("showPassword"), onClick: () => setShown(!shown2), children: /* @__PURE__ */ a4(Icon, { name: shown2 ? "eyeOff" : "eye" }) })
    ] }),
    /* @__PURE__ */ a4(Below, { id, hint, error })
  ] });
}
function Code({ name = "code", label, hint, autoFocus }) {
  return /* @__PURE__ */ a4(
    Field,
    {
      name,
      label,
      hint,
      autoFocus,
      required: true,
      secret: true,
      class: "code",
      inputMode: "numeric",
      autoComplete: "one-time-code",
      pattern: "[0-9 ]*",
      maxLength: 12,
      spellcheck: false
    }
  );
}
function digits(code) {
  return (code ?? "").replace(/\s/g, "");
}
function Check({ name, label, hint, checked }) {
  const id = P2();
  return /* @__PURE__ */ a4("div", { class: "check", children: [
    /* @__PURE__ */ a4("input", { type: "checkbox", id, name, defaultChecked: checked, "aria-describedby": hint && id + "-hint" }),
    /* @__PURE__ */ a4("label", { for: id, children: label }),
    hint && /* @__PURE__ */ a4("p", { class: "hint", id: id + "-hint", children: hint })
  ] });
}
function useFieldError(name) {
  const problem2 = j2(Refused);
  const field = problem2?.fields.find((f5) => fieldName(f5.pointer) === name);
  return field && sayField(field);
}
function describedBy(id, hint, error) {
  return [hint && id + "-hint", error && id + "-error"].filter(Boolean).join(" ") || void 0;
}
function Below({ id, hint, error }) {
  return /* @__PURE__ */ a4($, { children: [
    hint && /* @__PURE__ */ a4("div", { class: "hint", id: id + "-hint", children: hint }),
    error && /* @__PURE__ */ a4("p", { class: "error", id: id + "-error", children: [
      /* @__PURE__ */ a4(Icon, { name: "warning" }),
      " ",
      error
    ] })
  ] });
}
function Time({ at, children }) {
  return /* @__PURE__ */ a4("time", { dateTime: at, title: dateTime(at), children });
}

// src/shell/router.ts
function match(routes, path3) {
  const parts = split(path3);
  for (const route of routes) {
    const params = fit(split(route.path), parts);
    if (params) return { route, params };
  }
  return void 0;
}
function split(path3) {
  return path3.replace(/\/+$/, "").split("/").slice(1);
}
function fit(pattern, parts) {
  if (pattern.length !== parts.length) return void 0;
  const params = {};
  for (let i4 = 0; i4 < pattern.length; i4++) {
    const want = pattern[i4];
    const got = parts[i4];
    if (want.startsWith(":")) {
      try {
        params[want.slice(1)] = decodeURIComponent(got);
      } catch {
        return void 0;
      }
    } else if (want !== got) {
      return void 0;
    }
  }
  return params;
}
function safeNext(next, origin, first) {
  if (!next || !next.startsWith("/")) return first;
  try {
    const url = new URL(next, origin);
    return url.origin === origin && !url.pathname.startsWith("//") ? url.pathname + url.search : first;
  } catch {
    return first;
  }
}
var place = y3({ path: "/", search: "" });
var path = O(() => place.value.path);
var moves = y3(0);
var arrivals = y3(0);
function read() {
  place.value = { path: location.pathname, search: location.search };
}
function go(to, options = {}) {
  if (options.replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  moves.value++;
  read();
}
function startRouter() {
  read();
  addEventListener("popstate", () => {
    if (location.hash) arrivals.value++;
    moves.value++;
    read();
  });
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target?.closest("a");
    if (!link || link.target || link.hasAttribute("download") || link.dataset.leave !== void 0) return;
    const url = new URL(link.href, location.href);
    if (url.origin !== location.origin || url.hash) return;
    event.preventDefault();
    go(url.pathname + url.search);
  });
}

// src/shell/ui.tsx
function useLoad(work4, deps) {
  const [data, set] = d2();
  const [problem2, setProblem] = d2();
  const running7 = T2(void 0);
  const reload = b(async () => {
    running7.current?.abort();
    const mine2 = running7.current = new AbortController();
    try {
      const fresh2 = await work4(mine2.signal);
      if (mine2.signal.aborted) return;
      set(fresh2);
      setProblem(void 0);
    } catch (err2) {
      if (!mine2.signal.aborted) setProblem(asProblem(err2));
    }
  }, deps);
  A2(() => {
    set(void 0);
    setProblem(void 0);
    void reload();
    return () => running7.current?.abort();
  }, [reload]);
  return { data, problem: problem2, reload, set };
}
function Skeleton({ rows = 4 }) {
  return /* @__PURE__ */ a4("div", { class: "skeleton", role: "status", children: [
    /* @__PURE__ */ a4("span", { class: "hidden", children: t4("loading") }),
    Array.from({ length: rows }, (_4, i4) => /* @__PURE__ */ a4("div", { class: "skeleton-row", "aria-hidden": "true" }, i4))
  ] });
}
function Failed({ problem: problem2, retry: retry2 }) {
  return /* @__PURE__ */ a4("div", { class: "notice bad", role: "alert", children: [
    /* @__PURE__ */ a4(Icon, { name: "warning" }),
    /* @__PURE__ */ a4("div", { children: [
      /* @__PURE__ */ a4("p", { children: [
        say(problem2),
        /* @__PURE__ */ a4(Remedy, { problem: problem2 })
      ] }),
      problem2.requestId && problem2.status >= 500 && /* @__PURE__ */ a4("p", { class: "small id", children: t4("report", { id: problem2.requestId }) }),
      retry2 && /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: retry2, children: [
        /* @__PURE__ */ a4(Icon, { name: "retry" }),
        " ",
        t4("again")
      ] })
    ] })
  ] });
}
function Empty({ icon, title, page: page2, children }) {
  return /* @__PURE__ */ a4("div", { class: "empty", children: [
    /* @__PURE__ */ a4("span", { class: "empty-icon", children: /* @__PURE__ */ a4(Icon, { name: icon }) }),
    page2 ? /* @__PURE__ */ a4("h1", { children: title }) : /* @__PURE__ */ a4("h2", { children: title }),
    children
  ] });
}
function useEnd() {
  const controller = T2(void 0);
  controller.current ??= new AbortController();
  A2(() => () => controller.current.abort(), []);
  return controller.current.signal;
}
var notes = y3([]);
var noteId = 0;
function toast(text2, bad = false, act, problem2) {
  const id = ++noteId;
  notes.value = [...notes.value.slice(-2), { id, text: text2, bad, page: path.value, act, problem: problem2 }];
  if (!bad) fade(id, act ? 15e3 : 6e3);
}
function fade(id, after) {
  setTimeout(() => document.querySelector(`.toast[data-id="${id}"]:is(:hover, :focus-within)`) ? fade(id, 2e3) : dismiss(id), after);
}
function toastProblem(err2) {
  const problem2 = asProblem(err2);
  if (problem2.code !== "cancelled") toast(say(problem2), true, void 0, problem2);
}
function dismiss(id) {
  notes.value = notes.value.filter((n3) => n3.id !== id);
}
function Copy({ text: text2, label = t4("copy") }) {
  const [copied, setCopied] = d2(false);
  return /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: async () => {
    try {
      await navigator.clipboard.writeText(text2);
      setCopied(true);
    } catch {
      toast(t4("copyFailed"), true);
    }
  }, children: [
    /* @__PURE__ */ a4(Icon, { name: copied ? "check" : "copy" }),
    " ",
    /* @__PURE__ */ a4("span", { "aria-live": "polite", children: copied ? t4("copied") : label })
  ] });
}
function Toasts() {
  const here2 = path.value;
  A2(() => {
    notes.value = notes.value.filter((n3) => n3.page === here2);
  }, [here2]);
  return /* @__PURE__ */ a4("div", { class: "toasts", role: "status", "aria-live": "polite", children: notes.value.filter((n3) => n3.page === here2).map((n3) => /* @__PURE__ */ a4("div", { "data-id": n3.id, class: n3.bad ? "toast bad" : "toast", children: [
    /* @__PURE__ */ a4(Icon, { name: n3.bad ? "warning" : "check" }),
    /* @__PURE__ */ a4("p", { children: [
      n3.text,
      n3.problem && /* @__PURE__ */ a4(Remedy, { problem: n3.problem })
    ] }),
    n3.act && /* @__PURE__ */ a4("button", { type: "button", class: "toast-act", onClick: () => {
      document.getElementById("main")?.focus({ preventScroll: true });
      dismiss(n3.id);
      n3.act.run();
    }, children: n3.act.label }),
    /* @__PURE__ */ a4("button", { type: "button", class: "icon-button", "aria-label": t4("dismiss"), onClick: () => dismiss(n3.id), children: /* @__PURE__ */ a4(Icon, { name: "close" }) })
  ] }, n3.id)) });
}
function Dialog({ title, onClose, children, sheet, class: extra, buttons, onKeyDown }) {
  const box = T2(null);
  const id = P2();
  F2(() => {
    const dialog = box.current;
    const before2 = document.activeElement;
    dialog.showModal();
    (dialog.querySelector("[data-first]") ?? dialog.querySelector("h2")).focus();
    return () => {
      dialog.close();
      if (before2 instanceof HTMLElement && before2.isConnected) before2.focus();
    };
  }, []);
  return /* @__PURE__ */ a4("dialog", { ref: box, class: "dialog" + (sheet ? " sheet" : "") + (extra ? " " + extra : ""), "aria-labelledby": id, onKeyDown, onCancel: (event) => {
    event.preventDefault();
    onClose();
  }, onClick: (event) => {
    if (sheet && event.target === box.current) onClose();
  }, children: [
    /* @__PURE__ */ a4("div", { class: "dialog-head", children: [
      /* @__PURE__ */ a4("h2", { id, tabIndex: -1, children: title }),
      buttons,
      /* @__PURE__ */ a4("button", { type: "button", class: "icon-button", "aria-label": t4("close"), onClick: onClose, children: /* @__PURE__ */ a4(Icon, { name: "close" }) })
    ] }),
    children
  ] });
}
function Confirm({ title, children, action, onConfirm, onClose }) {
  return /* @__PURE__ */ a4(Dialog, { title, onClose, children: /* @__PURE__ */ a4(Form, { submit: action, danger: true, onCancel: onClose, onSubmit: async () => {
    if (await onConfirm() !== false) onClose();
  }, children: /* @__PURE__ */ a4("div", { class: "prose", children }) }) });
}
var asked = y3([]);
var askId = 0;
function ask(view) {
  return new Promise((resolve) => {
    const id = ++askId;
    const close = () => {
      asked.value = asked.value.filter((a5) => a5.id !== id);
      resolve();
    };
    asked.value = [...asked.value, { id, of: me()?.id, view, close }];
  });
}
function Dialogs() {
  const person = me()?.id;
  const over3 = asked.value.filter((a5) => a5.of !== void 0 && a5.of !== person);
  A2(() => {
    for (const a5 of over3) a5.close();
  }, [over3.length]);
  return /* @__PURE__ */ a4($, { children: asked.value.filter((a5) => !over3.includes(a5)).map((a5) => /* @__PURE__ */ a4("div", { children: a5.view(a5.close) }, a5.id)) });
}
function Menu({ label, items, children, class: extra, tabIndex }) {
  const [open2, setOpen] = d2(false);
  const button = T2(null);
  const list2 = T2(null);
  const id = P2();
  F2(() => {
    if (!open2) return;
    const box = list2.current;
    box.showPopover();
    place2(box, button.current);
    entries(box)[0]?.focus();
    const follow2 = () => place2(box, button.current);
    addEventListener("scroll", follow2, { capture: true, passive: true });
    addEventListener("resize", follow2);
    return () => {
      removeEventListener("scroll", follow2, { capture: true });
      removeEventListener("resize", follow2);
    };
  }, [open2]);
  function close() {
    setOpen(false);
    button.current?.focus();
  }
  function key3(event) {
    event.stopPropagation();
    const all2 = entries(list2.current);
    const at = all2.indexOf(document.activeElement);
    const to = event.key === "ArrowDown" ? (at + 1) % all2.length : event.key === "ArrowUp" ? (at - 1 + all2.length) % all2.length : event.key === "Home" ? 0 : event.key === "End" ? all2.length - 1 : event.key.length === 1 ? all2.findIndex((e4, i4) => i4 !== at && e4.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase())) : -1;
    if (event.key === "Escape" || event.key === "Tab") {
      if (event.key === "Escape") event.preventDefault();
      close();
    } else if (to >= 0 && event.key !== " ") {
      event.preventDefault();
      all2[to].focus();
    }
  }
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4(
      "button",
      {
        type: "button",
        ref: button,
        class: extra ?? "icon-button",
        "aria-haspopup": "menu",
        "aria-expanded": open2,
        "aria-controls": open2 ? id : void 0,
        "aria-label": label,
        title: label,
        tabIndex,
        onClick: (event) => {
          event.stopPropagation();
          setOpen(!open2);
        },
        onKeyDown: (event) => {
          if (event.key === "ArrowDown" && !open2) {
            event.preventDefault();
            event.stopPropagation();
            setOpen(true);
          }
        },
        children
      }
    ),
    open2 && /* @__PURE__ */ a4(
      "div",
      {
        ref: list2,
        id,
        class: "menu",
        role: "menu",
        "aria-label": label,
        popover: "auto",
        onKeyDown: key3,
        onClick: (event) => {
          if (!event.target.closest("a")) event.stopPropagation();
        },
        onToggle: (event) => {
          if (event.newState === "closed") setOpen(false);
        },
        children: items.map((item) => /* @__PURE__ */ a4(Item, { item, close, role: "menuitem" }, item.label))
      }
    )
  ] });
}
function Item({ item, close, role }) {
  const inside = /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4(Icon, { name: item.icon }),
    " ",
    /* @__PURE__ */ a4("span", { children: item.label }),
    " ",
    item.keys && /* @__PURE__ */ a4("kbd", { "aria-hidden": "true", children: item.keys })
  ] });
  const same2 = { class: item.danger ? "menu-item danger" : "menu-item", role, tabIndex: role && -1 };
  if (item.href !== void 0) return /* @__PURE__ */ a4("a", { ...same2, href: item.href, "data-leave": item.leave ? "" : void 0, onClick: close, children: inside });
  return /* @__PURE__ */ a4("button", { ...same2, type: "button", onClick: () => {
    close();
    item.run();
  }, children: inside });
}
function entries(box) {
  return [...box.querySelectorAll("[role^=menuitem]")];
}
function place2(box, anchor) {
  const a5 = anchor.getBoundingClientRect();
  const b4 = box.getBoundingClientRect();
  const edge = 8;
  const top2 = a5.bottom + 4 + b4.height > innerHeight - edge ? a5.top - 4 - b4.height : a5.bottom + 4;
  const left2 = a5.right < innerWidth / 2 ? a5.left : Math.min(a5.right - b4.width, innerWidth - b4.width - edge);
  box.style.top = Math.max(edge, top2) + "px";
  box.style.left = Math.max(edge, left2) + "px";
}

// src/account/words.ts
var t5 = catalog({
  en: {
    signUp: "Create an account",
    haveAccount: "Already have an account?",
    firstName: "First name",
    lastName: "Last name",
    username: "Username",
    usernameHint: "3 to 32 letters (a to z), digits, dots, hyphens or underscores. Begin with a letter.",
    email: "E-mail",
    emailHint: "We send you a mail to confirm that it is yours.",
    verify: "Confirm your e-mail",
    checkMail: "Check your mail",
    checkMailText: "If {email} is new here, we have sent it a code and a link. If it already has an account, the mail says so.",
    checkMailBare: "Enter your e-mail address and the code from the mail, or open the link in it.",
    code: "Code from the mail",
    codeHint: "Six digits.",
    confirm: "Confirm my e-mail",
    confirmTitle: "Confirm your e-mail",
    confirmText: "Press the button to finish.",
    elsewhereText: "You signed up in another browser. Enter the password that you chose there.",
    elsewherePassword: "Password of your sign-up",
    elsewhereOthers: "Did several mails come? Then somebody else may have typed your address too. Only the mail of your own sign-up takes your password: try the others, or sign up again.",
    signUpAgain: "Sign up again",
    verified: "Your e-mail is confirmed. Sign in to begin.",
    resent: "If this address is waiting to be confirmed, a new mail is on its way.",
    noMail: "No mail? Look into your spam folder, or send it again.",
    otherEmail: "Use another e-mail address",
    linkGoneText: "It was used already, was replaced by a newer one, or has expired. If you have confirmed your e-mail, sign in. If not, send yourself a new link.",
    linkDamagedText: "A part of the address is missing. Copy the whole link from the mail, or send yourself a new one.",
    newLink: "Send a new link",
    firstAdmin: "The first administrator",
    firstAdminText: "This link works once. The account that you create now administers this server.",
    firstAdminNoToken: "Open the one-time link that the server printed when it started.",
    firstAdminGone: "It was used already, or the server has printed a newer one. If there is no administrator yet, restart the server: it prints a new link.",
    firstAdminDamaged: "A part of the address is missing. Copy the whole link that the server printed when it started.",
    firstAdminDo: "Create the administrator",
    firstAdminDone: "The administrator is ready. Sign in to begin.",
    confirmEmail: "Confirm your new address",
    confirmEmailText: "{email} becomes the address of your account. You sign in with it, and our mails go there.",
    confirmEmailBare: "The new address becomes that of your account. You sign in with it, and our mails go there.",
    confirmEmailDo: "Confirm this address",
    confirmEmailDone: "Your new address is confirmed.",
    confirmGone: "It was used already, has expired, or belongs to another account: you are signed in as {name}. Your account shows the address that counts; there you can change it again.",
    toAccount: "Go to your account",
    undo: "Keep your old address",
    undoText: "Somebody who was signed in to your account asked for another e-mail address. If that was not you, press the button:",
    undoOld: "The address that got this mail is that of your account again.",
    undoOut: "Everybody is signed out, on every device.",
    undoDo: "Keep my old address",
    undoDone: "Your old address counts",
    undoAdvice: "Everybody is signed out. Whoever asked for another address may know your password: choose a new one now.",
    undoGone: "It was used already or has expired. If somebody else asked for another address, choose a new password.",
    account: "Account",
    profile: "Profile",
    bio: "About you",
    bioHint: "Up to 500 characters. You can leave it empty.",
    language: "Language",
    languageHint: "For this app and for the mails we send you.",
    save: "Save changes",
    saved: "Saved.",
    facts: "Account details",
    since: "Member since",
    previous: "Previous sign-in",
    role: "Role",
    admin: "Administrator",
    security: "Security",
    emailNow: "Your address:",
    emailNew: "New e-mail address",
    emailNewHint: "We send a link there. Your present address gets a notice.",
    emailChange: "Change my e-mail",
    emailSent: "The link is on its way.",
    emailSentAgain: "The link was sent again.",
    emailPending: "We sent a link to {pending}. Until you confirm it, {email} counts.",
    data: "My data",
    dataText: "One zip file with all that Coffer holds about you: your profile, sign-ins and devices, and every file in its folder. Begin with index.html. The zip is not encrypted, so keep it in a safe place.",
    dataDo: "Download my data",
    dataRuns: "Downloading …",
    deactivate: "Deactivate my account",
    deactivateDo: "Deactivate",
    deactivateHint: "For a break: you are signed out everywhere, nothing is deleted, and you can come back.",
    deactivateTitle: "Deactivate your account?",
    deactivateOut: "You are signed out on every device at once.",
    deactivateKept: "Nothing is deleted: your files and settings wait for you.",
    deactivateBack: "To come back, activate the account with your password and a link that we send to {email}.",
    deactivated: "Your account is deactivated",
    deactivatedText: "You are signed out everywhere. Nothing was deleted.",
    deactivateBackBare: "To come back, sign in as you do now, and activate the account with a link that we send to {email}.",
    deactivatedBack: "To come back, you need what you sign in with, and your mailbox.",
    toHome: "Go to home page",
    delete: "Delete my account",
    deleteOpen: "Delete",
    deleteHint: "For good: the account and everything in it.",
    deleteLead: "This cannot be undone: the account cannot be brought back.",
    goes: "What goes",
    goesAccount: "Your account with your profile: {email}, username {username}",
    goesFree: "Your e-mail address and your username become free: you or somebody else can sign up with them.",
    deleteFirst: "Keep a copy first",
    deleteSure: "Delete it now",
    deleteName: "Your username",
    deleteType: "Type your username, {username}, to confirm.",
    deleteDo: "Delete my account for good",
    deleted: "Your account is deleted",
    deletedText: "Goodbye, and thank you. Your files, your devices and everything else that belonged to it are gone. We have sent you a last mail that says so.",
    deletedAgain: "Your e-mail address and your username are free again. You can sign up with them at any time.",
    passwordHead: "Password",
    passwordText: "Use one that you use nowhere else.",
    passwordChange: "Change password",
    passwordCurrent: "Current password",
    passwordNew: "New password",
    passwordOut: "Sign out everywhere else",
    passwordOutHint: "Leave this on if somebody else may know the old password.",
    passwordChanged: "Your password is changed.",
    passwordNone: "No password yet",
    passwordNoneText: "You sign in without one. With a password you also get in when your other ways in are lost.",
    passwordSet: "Set a password",
    passwordSetDone: "Your password is set.",
    passwordSetOutHint: "Leave this on if somebody else may be signed in to your account.",
    passwordSetDoneOut: "Your password is set, and all other devices are signed out.",
    passwordChangedOut: "Your password is changed, and all other devices are signed out.",
    strength_weak: "Only your password protects this account",
    strength_fair: "Better than a password alone",
    bare_weak: "One step protects this account",
    bare_fair: "Better than one step alone",
    strength_good: "Well protected",
    strength_strong: "Strongly protected",
    ways: "Ways back in",
    noWays: "No way back in yet",
    chooseStep: "Choose a sign-in step",
    toSecurity: "Security page",
    asked: "What a sign-in on a new device asks for",
    advice_addApp: "Add an authenticator app: with it, a stolen password is not enough.",
    bare_addApp: "Add an authenticator app: with it, a stolen account elsewhere is not enough.",
    bare_addAnyStep: "Add a sign-in step: with it, a stolen account elsewhere is not enough.",
    bare_lookNow: "One step alone opens nothing here. Look at the devices now and then.",
    advice_addAnyStep: "Add a sign-in step: with it, a stolen password is not enough.",
    advice_mailOnly: "Anyone who can read your mail can reset the password and read the codes. Add an authenticator app.",
    advice_questionOnly: "People who know you may guess the answer. Add an authenticator app.",
    advice_mailAndQuestion: "Your mail can be read and an answer can be guessed. Add an authenticator app.",
    advice_smsOnly: "A telephone number can be taken over. An authenticator app is stronger: add one.",
    advice_addSecond: "Add a second sign-in step. After that you can make backup codes, for the day when you lose your phone.",
    advice_makeCodes: "Make backup codes, for the day when you lose your phone.",
    advice_fewCodes: { one: "You have {count} backup code left. Make new ones.", other: "You have {count} backup codes left. Make new ones." },
    advice_noCodes: "All your backup codes are used. Make new ones.",
    advice_lookNow: "Your password alone opens nothing here. Look at the devices now and then.",
    advice_addPasskey: "Only your passkey signs in. Add a second one on another device, for the day when you lose this one.",
    advice_lookPasskeys: "Only your passkeys sign in: there is no password to guess or to steal. Look at the devices now and then.",
    always: "Ask on every device, every time",
    alwaysOff: "A device that you chose to remember needs only the first step. Turn this on, and every sign-in asks for every step.",
    alwaysOn: "Every sign-in asks for every step, on remembered devices too.",
    alwaysIsOn: "From now on every sign-in asks for every step.",
    alwaysIsOff: "Remembered devices need only the first step again."
  },
  de: {
    signUp: "Konto anlegen",
    haveAccount: "Sie haben schon ein Konto?",
    firstName: "Vorname",
    lastName: "Nachname",
    username: "Benutzername",
    usernameHint: "3 bis 32 Buchstaben (a bis z), Ziffern, Punkte, Binde- oder Unterstriche. Beginnen Sie mit einem Buchstaben.",
    email: "E-Mail",
    emailHint: "Wir senden Ihnen eine Mail, um zu prüfen, dass die Adresse Ihnen gehört.",
    verify: "E-Mail bestätigen",
    checkMail: "Sehen Sie in Ihre Mails",
    checkMailText: "Wenn {email} hier neu ist, haben wir dorthin einen Code und einen Link gesendet. Wenn es dazu schon ein Konto gibt, steht das in der Mail.",
    checkMailBare: "Geben Sie Ihre E-Mail-Adresse und den Code aus der Mail ein oder öffnen Sie den Link darin.",
    code: "Code aus der Mail",
    codeHint: "Sechs Ziffern.",
    confirm: "Meine E-Mail bestätigen",
    confirmTitle: "Bestätigen Sie Ihre E-Mail",
    confirmText: "Drücken Sie zum Abschluss auf den Knopf.",
    elsewhereText: "Sie haben das Konto in einem anderen Browser angelegt. Geben Sie das Passwort ein, das Sie dort gewählt haben.",
    elsewherePassword: "Passwort, das Sie dort gewählt haben",
    elsewhereOthers: "Kamen mehrere Mails? Dann hat vielleicht auch jemand anders Ihre Adresse eingegeben. Nur die Mail zu Ihrem eigenen Konto nimmt Ihr Passwort an: Versuchen Sie die anderen oder legen Sie das Konto noch einmal an.",
    signUpAgain: "Noch einmal anlegen",
    verified: "Ihre E-Mail ist bestätigt. Melden Sie sich an.",
    resent: "Wenn diese Adresse noch bestätigt werden muss, ist eine neue Mail unterwegs.",
    noMail: "Keine Mail? Sehen Sie im Spam-Ordner nach oder lassen Sie sie noch einmal senden.",
    otherEmail: "Andere E-Mail-Adresse verwenden",
    linkGoneText: "Er wurde schon benutzt, durch einen neueren ersetzt oder ist abgelaufen. Wenn Sie Ihre E-Mail schon bestätigt haben, melden Sie sich an. Wenn nicht, lassen Sie sich einen neuen Link senden.",
    linkDamagedText: "Ein Teil der Adresse fehlt. Kopieren Sie den ganzen Link aus der Mail oder lassen Sie sich einen neuen senden.",
    newLink: "Neuen Link senden",
    firstAdmin: "Das erste Verwaltungskonto",
    firstAdminText: "Dieser Link gilt einmal. Das Konto, das Sie jetzt anlegen, verwaltet diesen Server.",
    firstAdminNoToken: "Öffnen Sie den einmaligen Link, den der Server beim Start ausgegeben hat.",
    firstAdminGone: "Er wurde schon benutzt, oder der Server hat einen neueren ausgegeben. Wenn es noch kein Verwaltungskonto gibt, starten Sie den Server neu: Er gibt einen neuen Link aus.",
    firstAdminDamaged: "Ein Teil der Adresse fehlt. Kopieren Sie den ganzen Link, den der Server beim Start ausgegeben hat.",
    firstAdminDo: "Verwaltungskonto anlegen",
    firstAdminDone: "Das Verwaltungskonto ist bereit. Melden Sie sich an.",
    confirmEmail: "Neue Adresse bestätigen",
    confirmEmailText: "{email} wird die Adresse Ihres Kontos. Sie melden sich damit an, und unsere Mails gehen dorthin.",
    confirmEmailBare: "Die neue Adresse wird die Ihres Kontos. Sie melden sich damit an, und unsere Mails gehen dorthin.",
    confirmEmailDo: "Diese Adresse bestätigen",
    confirmEmailDone: "Ihre neue Adresse ist bestätigt.",
    confirmGone: "Er wurde schon benutzt, ist abgelaufen oder gehört zu einem anderen Konto: Sie sind als {name} angemeldet. Ihr Konto zeigt die Adresse, die gilt; dort können Sie sie wieder ändern.",
    toAccount: "Zu Ihrem Konto",
    undo: "Ihre alte Adresse behalten",
    undoText: "Jemand, der in Ihrem Konto angemeldet war, hat eine andere E-Mail-Adresse verlangt. Wenn Sie das nicht waren, drücken Sie auf den Knopf:",
    undoOld: "Die Adresse, an die diese Mail ging, ist wieder die Ihres Kontos.",
    undoOut: "Alle werden abgemeldet, auf jedem Gerät.",
    undoDo: "Meine alte Adresse behalten",
    undoDone: "Ihre alte Adresse gilt",
    undoAdvice: "Alle sind abgemeldet. Wer die andere Adresse verlangt hat, kennt vielleicht Ihr Passwort: Wählen Sie jetzt ein neues.",
    undoGone: "Er wurde schon benutzt oder ist abgelaufen. Wenn jemand anders eine andere Adresse verlangt hat, wählen Sie ein neues Passwort.",
    account: "Konto",
    profile: "Profil",
    bio: "Über Sie",
    bioHint: "Bis zu 500 Zeichen. Kann leer bleiben.",
    language: "Sprache",
    languageHint: "Für diese App und für die Mails, die wir Ihnen senden.",
    save: "Änderungen speichern",
    saved: "Gespeichert.",
    facts: "Kontodaten",
    since: "Mitglied seit",
    previous: "Vorherige Anmeldung",
    role: "Rolle",
    admin: "Verwaltung",
    security: "Sicherheit",
    emailNow: "Ihre Adresse:",
    emailNew: "Neue E-Mail-Adresse",
    emailNewHint: "Wir senden einen Link dorthin. Ihre jetzige Adresse bekommt eine Nachricht.",
    emailChange: "E-Mail ändern",
    emailSent: "Der Link ist unterwegs.",
    emailSentAgain: "Der Link wurde noch einmal gesendet.",
    emailPending: "Wir haben einen Link an {pending} gesendet. Bis Sie ihn bestätigen, gilt {email}.",
    data: "Meine Daten",
    dataText: "Eine Zip-Datei mit allem, was Coffer über Sie hat: Profil, Anmeldungen und Geräte und jede Datei in ihrem Ordner. Beginnen Sie mit index.html. Die Zip-Datei ist nicht verschlüsselt: Bewahren Sie sie sicher auf.",
    dataDo: "Meine Daten herunterladen",
    dataRuns: "Wird heruntergeladen …",
    deactivate: "Konto deaktivieren",
    deactivateDo: "Deaktivieren",
    deactivateHint: "Für eine Pause: Sie werden überall abgemeldet, nichts wird gelöscht, und Sie können zurückkommen.",
    deactivateTitle: "Ihr Konto deaktivieren?",
    deactivateOut: "Sie werden auf allen Geräten sofort abgemeldet.",
    deactivateKept: "Nichts wird gelöscht: Ihre Dateien und Einstellungen warten auf Sie.",
    deactivateBack: "Um zurückzukommen, aktivieren Sie das Konto mit Ihrem Passwort und einem Link, den wir an {email} senden.",
    deactivated: "Ihr Konto ist deaktiviert",
    deactivatedText: "Sie sind überall abgemeldet. Nichts wurde gelöscht.",
    deactivateBackBare: "Um zurückzukommen, melden Sie sich an wie jetzt und aktivieren das Konto mit einem Link, den wir an {email} senden.",
    deactivatedBack: "Um zurückzukommen, brauchen Sie das, womit Sie sich anmelden, und Ihr Postfach.",
    toHome: "Zur Startseite",
    delete: "Konto löschen",
    deleteOpen: "Löschen",
    deleteHint: "Endgültig: das Konto und alles, was darin ist.",
    deleteLead: "Das lässt sich nicht rückgängig machen: Das Konto kommt nicht zurück.",
    goes: "Was gelöscht wird",
    goesAccount: "Ihr Konto mit Ihrem Profil: {email}, Benutzername {username}",
    goesFree: "Ihre E-Mail-Adresse und Ihr Benutzername werden frei: Sie oder jemand anders kann damit ein Konto anlegen.",
    deleteFirst: "Vorher eine Kopie behalten",
    deleteSure: "Jetzt löschen",
    deleteName: "Ihr Benutzername",
    deleteType: "Geben Sie zur Bestätigung Ihren Benutzernamen ein: {username}.",
    deleteDo: "Konto endgültig löschen",
    deleted: "Ihr Konto ist gelöscht",
    deletedText: "Auf Wiedersehen und danke. Ihre Dateien, Ihre Geräte und alles andere, was dazugehörte, sind gelöscht. Eine letzte Mail an Sie bestätigt das.",
    deletedAgain: "Ihre E-Mail-Adresse und Ihr Benutzername sind wieder frei. Sie können damit jederzeit ein neues Konto anlegen.",
    passwordHead: "Passwort",
    passwordText: "Nehmen Sie eines, das Sie nirgends sonst verwenden.",
    passwordChange: "Passwort ändern",
    passwordCurrent: "Jetziges Passwort",
    passwordNew: "Neues Passwort",
    passwordOut: "Überall sonst abmelden",
    passwordOutHint: "Lassen Sie das an, wenn jemand anders das alte Passwort kennen könnte.",
    passwordChanged: "Ihr Passwort ist geändert.",
    passwordNone: "Noch kein Passwort",
    passwordNoneText: "Sie melden sich ohne an. Mit einem Passwort kommen Sie auch hinein, wenn Ihre anderen Wege verloren sind.",
    passwordSet: "Passwort festlegen",
    passwordSetDone: "Ihr Passwort ist festgelegt.",
    passwordSetOutHint: "Lassen Sie das an, wenn jemand anders in Ihrem Konto angemeldet sein könnte.",
    passwordSetDoneOut: "Ihr Passwort ist festgelegt, und alle anderen Geräte sind abgemeldet.",
    passwordChangedOut: "Ihr Passwort ist geändert, und alle anderen Geräte sind abgemeldet.",
    strength_weak: "Nur Ihr Passwort schützt dieses Konto",
    strength_fair: "Besser als ein Passwort allein",
    bare_weak: "Ein Schritt schützt dieses Konto",
    bare_fair: "Besser als ein Schritt allein",
    strength_good: "Gut geschützt",
    strength_strong: "Sehr gut geschützt",
    ways: "Wege zurück",
    noWays: "Noch kein Weg zurück",
    chooseStep: "Anmeldeschritt wählen",
    toSecurity: "Zur Sicherheit",
    asked: "Wonach eine Anmeldung auf einem neuen Gerät fragt",
    advice_addApp: "Richten Sie eine Authenticator-App ein: Dann reicht ein gestohlenes Passwort nicht aus.",
    bare_addApp: "Richten Sie eine Authenticator-App ein: Dann reicht ein gestohlenes Konto anderswo nicht aus.",
    bare_addAnyStep: "Richten Sie einen Anmeldeschritt ein: Dann reicht ein gestohlenes Konto anderswo nicht aus.",
    bare_lookNow: "Ein Schritt allein öffnet hier nichts. Sehen Sie ab und zu auf die Geräte.",
    advice_addAnyStep: "Richten Sie einen Anmeldeschritt ein: Dann reicht ein gestohlenes Passwort nicht aus.",
    advice_mailOnly: "Wer Ihre E-Mails lesen kann, kann das Passwort zurücksetzen und die Codes lesen. Richten Sie eine Authenticator-App ein.",
    advice_questionOnly: "Wer Sie kennt, errät vielleicht die Antwort. Richten Sie eine Authenticator-App ein.",
    advice_mailAndQuestion: "E-Mails lassen sich mitlesen, und eine Antwort lässt sich erraten. Richten Sie eine Authenticator-App ein.",
    advice_smsOnly: "Eine Telefonnummer lässt sich übernehmen. Eine Authenticator-App ist stärker: Richten Sie eine ein.",
    advice_addSecond: "Richten Sie einen zweiten Anmeldeschritt ein. Danach können Sie Notfallcodes anlegen, für den Tag, an dem Ihr Telefon fehlt.",
    advice_makeCodes: "Legen Sie Notfallcodes an, für den Tag, an dem Ihr Telefon fehlt.",
    advice_fewCodes: { one: "Sie haben noch {count} Notfallcode. Legen Sie neue an.", other: "Sie haben noch {count} Notfallcodes. Legen Sie neue an." },
    advice_noCodes: "Alle Ihre Notfallcodes sind verbraucht. Legen Sie neue an.",
    advice_lookNow: "Ihr Passwort allein öffnet hier nichts. Sehen Sie ab und zu auf die Geräte.",
    advice_addPasskey: "Nur Ihr Passkey meldet Sie an. Fügen Sie einen zweiten auf einem anderen Gerät hinzu, für den Tag, an dem Sie dieses verlieren.",
    advice_lookPasskeys: "Nur Ihre Passkeys melden Sie an: Es gibt kein Passwort, das man erraten oder stehlen kann. Sehen Sie ab und zu auf die Geräte.",
    always: "Auf jedem Gerät jedes Mal fragen",
    alwaysOff: "Auf einem gemerkten Gerät genügt der erste Schritt. Schalten Sie das ein, und jede Anmeldung fragt nach jedem Schritt.",
    alwaysOn: "Jede Anmeldung fragt nach jedem Schritt, auch auf gemerkten Geräten.",
    alwaysIsOn: "Ab jetzt fragt jede Anmeldung nach jedem Schritt.",
    alwaysIsOff: "Auf gemerkten Geräten genügt wieder der erste Schritt."
  }
});
var problems2 = catalog({
  en: {
    username_taken: "That username is taken. Choose another one.",
    email_taken: "Another account has this address by now, so it cannot be yours again. Ask the person who runs this server.",
    account_exists: "There is already an account with this e-mail address or username.",
    sign_up_proof_required: "You signed up in another browser. Enter the password that you chose there.",
    field_contains_link: "A name cannot hold a link.",
    field_invalid_username: "Use 3 to 32 letters from a to z, digits, dots, hyphens or underscores, and begin with a letter.",
    field_invalid_email: "This does not look like an e-mail address.",
    field_unsupported_language: "This language is not offered.",
    field_token_or_code: "Enter your e-mail address and the code, or open the link from the mail.",
    field_wrong_sign_up: "This password does not belong to this mail.",
    field_wrong_password: "This is not your current password.",
    field_unchanged: "This is the one that you have already. Choose another one.",
    last_admin: "You are the only administrator of this server. Make somebody else an administrator first.",
    field_other_username: "This is not your username."
  },
  de: {
    username_taken: "Dieser Benutzername ist vergeben. Wählen Sie einen anderen.",
    email_taken: "Diese Adresse gehört inzwischen zu einem anderen Konto und kann nicht mehr die Ihre sein. Fragen Sie, wer diesen Server betreibt.",
    account_exists: "Zu dieser E-Mail-Adresse oder diesem Benutzernamen gibt es schon ein Konto.",
    sign_up_proof_required: "Sie haben das Konto in einem anderen Browser angelegt. Geben Sie das Passwort ein, das Sie dort gewählt haben.",
    field_contains_link: "Ein Name kann keinen Link enthalten.",
    field_invalid_username: "Verwenden Sie 3 bis 32 Buchstaben von a bis z, Ziffern, Punkte, Binde- oder Unterstriche, und beginnen Sie mit einem Buchstaben.",
    field_invalid_email: "Das sieht nicht nach einer E-Mail-Adresse aus.",
    field_unsupported_language: "Diese Sprache gibt es hier nicht.",
    field_token_or_code: "Geben Sie Ihre E-Mail-Adresse und den Code ein oder öffnen Sie den Link aus der Mail.",
    field_wrong_sign_up: "Dieses Passwort gehört nicht zu dieser Mail.",
    field_wrong_password: "Das ist nicht Ihr jetziges Passwort.",
    field_unchanged: "Das haben Sie schon. Wählen Sie etwas anderes.",
    last_admin: "Niemand außer Ihnen verwaltet diesen Server. Geben Sie zuerst jemand anderem die Verwaltung.",
    field_other_username: "Das ist nicht Ihr Benutzername."
  }
});

// src/account/always.tsx
function AlwaysAsk({ status }) {
  const me3 = auth.value.is === "in" ? auth.value.account : void 0;
  return me3 && (me3.always_ask || steps2(status.data).length > 0) ? /* @__PURE__ */ a4(Choice, { known: me3 }) : null;
}
function Choice({ known: known3 }) {
  const { data, set } = useLoad((signal) => get("/account", { signal }), []);
  const [busy3, setBusy] = d2(false);
  const me3 = data ?? known3;
  const on = me3.always_ask;
  async function change() {
    if (busy3) return;
    setBusy(true);
    try {
      await put("/account/always-ask", { body: { always_ask: !on } });
      const fresh2 = { ...me3, always_ask: !on };
      set(fresh2);
      keeper().changed(fresh2);
      toast(on ? t5("alwaysIsOff") : t5("alwaysIsOn"));
    } catch (err2) {
      toastProblem(err2);
    } finally {
      setBusy(false);
    }
  }
  return /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": "always", children: /* @__PURE__ */ a4("div", { class: "card-head", children: [
    /* @__PURE__ */ a4("div", { children: [
      /* @__PURE__ */ a4("h2", { children: /* @__PURE__ */ a4("label", { id: "always", for: "always-ask", children: t5("always") }) }),
      /* @__PURE__ */ a4("p", { class: "hint", id: "always-hint", children: on ? t5("alwaysOn") : t5("alwaysOff") })
    ] }),
    /* @__PURE__ */ a4(
      "input",
      {
        class: "switch",
        type: "checkbox",
        role: "switch",
        id: "always-ask",
        checked: on,
        "aria-describedby": "always-hint",
        "aria-busy": busy3,
        onChange: () => void change()
      }
    )
  ] }) });
}
var layers = ["totp", "email_otp", "sms", "security_question"];
function steps2(lines) {
  return layers.filter((name) => lines?.[name]?.enabled);
}

// src/account/awaited.ts
var stored3 = "coffer.awaited";
var awaited = y3("");
function startAwaited() {
  awaited.value = sessionStorage.getItem(stored3) ?? "";
}
function setAwaited(email) {
  awaited.value = email;
  if (email) sessionStorage.setItem(stored3, email);
  else sessionStorage.removeItem(stored3);
}

// src/shell/face.tsx
var sizes = { small: ["64", "128"], large: ["128", "256"] };
function Face({ account: account2, size: size2 }) {
  const [broken2, setBroken] = d2();
  const { avatar: avatar2 } = account2;
  if (!avatar2 || broken2 === avatar2.id) return /* @__PURE__ */ a4("span", { class: "initials", "aria-hidden": "true", "data-initials": initials(account2.first_name, account2.last_name) });
  const [plain, sharp] = sizes[size2];
  return /* @__PURE__ */ a4("img", { class: "face", src: avatar2.urls[plain], srcset: `${avatar2.urls[plain]} 1x, ${avatar2.urls[sharp]} 2x`, alt: "", draggable: false, onError: () => setBroken(avatar2.id) });
}
function initials(first, last3) {
  const letter = (name) => [...name ?? ""][0] ?? "";
  return (letter(first) + letter(last3)).toUpperCase() || "·";
}

// src/shell/theme.ts
var themes = ["auto", "light", "dark"];
var stored4 = "coffer.theme";
var theme = y3("auto");
function startTheme() {
  const chosen3 = localStorage.getItem(stored4);
  show2(themes.find((t20) => t20 === chosen3) ?? "auto");
}
function setTheme(t20) {
  localStorage.setItem(stored4, t20);
  show2(t20);
}
function show2(t20) {
  theme.value = t20;
  if (t20 === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = t20;
}

// src/shell/look.tsx
function askLook() {
  void ask((close) => /* @__PURE__ */ a4(Dialog, { title: t4("look"), onClose: close, children: /* @__PURE__ */ a4("div", { class: "form", children: [
    /* @__PURE__ */ a4("p", { class: "hint", children: t4("lookHint") }),
    /* @__PURE__ */ a4(LanguageField, {}),
    /* @__PURE__ */ a4(ThemeField, {})
  ] }) }));
}
function Footer() {
  return /* @__PURE__ */ a4("footer", { class: "bottom", children: [
    places().filter((spot) => spot.open).map((spot) => /* @__PURE__ */ a4("a", { href: spot.href, children: spot.label() }, spot.href)),
    /* @__PURE__ */ a4(LanguageField, {}),
    /* @__PURE__ */ a4(ThemeField, {}),
    /* @__PURE__ */ a4("a", { href: "/docs", "data-leave": true, children: t4("api") })
  ] });
}
function keepLook() {
  setTheme(theme.value);
  setLang(lang.value);
}
function LanguageField() {
  const id = P2();
  return /* @__PURE__ */ a4("div", { class: "field", children: [
    /* @__PURE__ */ a4("label", { for: id, children: t4("language") }),
    /* @__PURE__ */ a4("select", { id, value: lang.value, onChange: (event) => setLang(event.currentTarget.value), children: Object.entries(languages).map(([tag, name]) => /* @__PURE__ */ a4("option", { value: tag, lang: tag, selected: tag === lang.value, children: name }, tag)) })
  ] });
}
function ThemeField() {
  const id = P2();
  return /* @__PURE__ */ a4("div", { class: "field", children: [
    /* @__PURE__ */ a4("label", { for: id, children: t4("theme") }),
    /* @__PURE__ */ a4("select", { id, value: theme.value, onChange: (event) => setTheme(event.currentTarget.value), children: themes.map((name) => /* @__PURE__ */ a4("option", { value: name, selected: name === theme.value, children: t4(`theme_${name}`) }, name)) })
  ] });
}

// src/shell/transfers.ts
var transfers = y3({ count: 0, resting: 0, failed: 0, done: 0 });
var panel = y3(void 0);
var downloads = y3([]);
var downloading = O(() => downloads.value.filter((d5) => d5.state.value === "running").length);

// src/shell/frame.tsx
var parent = y3(void 0);
function useParent(href, label) {
  A2(() => {
    parent.value = href !== void 0 && label !== void 0 ? { href, label } : void 0;
    return () => {
      parent.value = void 0;
    };
  }, [href, label]);
}
function Top({ framed }) {
  const state = auth.value;
  const door = signInDoor();
  const account2 = me();
  const up = framed ? parent.value : void 0;
  const search = framed ? collect((room) => room.search)[0] : void 0;
  return /* @__PURE__ */ a4("header", { class: "top", children: [
    up && /* @__PURE__ */ a4("a", { class: "top-up", href: up.href, children: [
      /* @__PURE__ */ a4(Icon, { name: "back" }),
      " ",
      /* @__PURE__ */ a4("span", { class: "ellipsis", children: up.label })
    ] }),
    /* @__PURE__ */ a4("a", { class: up ? "brand under-parent" : "brand", href: state.is === "in" ? firstPlace() : state.is === "repair" ? repairPath() : "/", children: [
      /* @__PURE__ */ a4(Mark, {}),
      " ",
      /* @__PURE__ */ a4("span", { children: "Coffer" })
    ] }),
    search && /* @__PURE__ */ a4(Search, { href: search.href, from: search.from, label: search.label() }),
    /* @__PURE__ */ a4("div", { class: "top-end", children: [
      framed && /* @__PURE__ */ a4(Ring, {}),
      search && /* @__PURE__ */ a4("a", { class: "icon-button phone-only", href: [search.href, new URLSearchParams(search.from?.()).toString()].filter(Boolean).join("?"), "aria-label": search.label(), title: search.label(), children: /* @__PURE__ */ a4(Icon, { name: "search" }) }),
      account2 && /* @__PURE__ */ a4(Menu, { label: t4("menu", { name: account2.username }), class: "avatar", items: mine(account2), children: /* @__PURE__ */ a4(Face, { account: account2, size: "small" }) }),
      state.is === "out" && door && path.value !== door.href && /* @__PURE__ */ a4("a", { class: "button", href: door.href, children: door.label() })
    ] })
  ] });
}
function Search({ href, from, label }) {
  const field = T2(null);
  const { path: here2, search } = place.value;
  A2(() => {
    field.current.value = here2 === href ? new URLSearchParams(search).get("q") ?? "" : "";
  }, [here2, search]);
  A2(() => {
    const key3 = (event) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.closest('input, textarea, select, dialog, [role="menu"]')) return;
      event.preventDefault();
      field.current?.focus();
      field.current?.select();
    };
    document.addEventListener("keydown", key3);
    return () => document.removeEventListener("keydown", key3);
  }, []);
  return /* @__PURE__ */ a4("form", { class: "search", role: "search", onSubmit: (event) => {
    event.preventDefault();
    const q2 = field.current.value.trim();
    if (q2) go(`${href}?${new URLSearchParams({ q: q2, ...from?.() }).toString()}`);
  }, children: [
    /* @__PURE__ */ a4(Icon, { name: "search" }),
    /* @__PURE__ */ a4("input", { ref: field, type: "search", name: "q", "aria-label": label, placeholder: label, maxLength: 200, "aria-keyshortcuts": "/" }),
    /* @__PURE__ */ a4("kbd", { "aria-hidden": "true", children: "/" })
  ] });
}
function Ring() {
  const { count: count2, resting, failed, done } = transfers.value;
  const open2 = panel.value;
  if (open2 === void 0) return null;
  const over3 = failed > 0 ? t4("transfersFailed", { count: failed }) : resting > 0 ? t4("transfersRest", { count: resting }) : t4("transfersOver");
  const runs3 = done === void 0 ? t4("transfersOpen", { count: count2 }) : t4("transfers", { count: count2, percent: Math.round(done * 100) });
  const label = count2 === 0 ? over3 : failed > 0 ? `${runs3}, ${t4("transfersFailed", { count: failed })}` : runs3;
  return /* @__PURE__ */ a4("button", { type: "button", class: failed > 0 ? "ring bad" : "ring", "aria-expanded": open2, "aria-label": label, title: label, onClick: () => {
    panel.value = !open2;
  }, children: [
    /* @__PURE__ */ a4("svg", { viewBox: "0 0 36 36", "aria-hidden": "true", focusable: "false", children: [
      /* @__PURE__ */ a4("circle", { class: "ring-whole", cx: "18", cy: "18", r: "15" }),
      /* @__PURE__ */ a4("circle", { class: "ring-share", cx: "18", cy: "18", r: "15", pathLength: 100, "stroke-dasharray": `${count2 > 0 ? (done ?? 0.25) * 100 : resting > 0 ? 0 : 100} 200` })
    ] }),
    count2 > 0 ? /* @__PURE__ */ a4("span", { "aria-hidden": "true", children: count2 }) : /* @__PURE__ */ a4(Icon, { name: failed > 0 ? "warning" : resting > 0 ? "pause" : "check" })
  ] });
}
function mine(account2) {
  const shells = [
    { icon: "look", label: () => t4("look"), order: 6, always: true, run: askLook },
    { icon: "code", label: () => t4("api"), order: 7, always: true, href: "/docs", leave: true }
  ];
  return [...collect((room) => room.menu), ...shells].filter((entry4) => (!entry4.admins || account2.role === "admin") && (entry4.always || auth.value.is === "in")).sort((a5, b4) => a5.order - b4.order).map((entry4) => ({ ...entry4, label: entry4.label() }));
}
var deeds = () => collect((room) => room.create).map((deed) => ({ ...deed, label: deed.label() }));
var isHere = (spot) => path.value === spot.href || path.value.startsWith(spot.href + "/");
function SpotLink({ spot, children }) {
  return /* @__PURE__ */ a4("a", { href: spot.href, "aria-current": isHere(spot) ? "page" : void 0, children: [
    /* @__PURE__ */ a4(Icon, { name: spot.icon }),
    " ",
    /* @__PURE__ */ a4("span", { children })
  ] });
}
function Side() {
  const items = deeds();
  return /* @__PURE__ */ a4("nav", { class: "side", "aria-label": t4("nav"), children: [
    items.length > 0 && /* @__PURE__ */ a4(Menu, { label: t4("new"), class: "button primary new", items, children: [
      /* @__PURE__ */ a4(Icon, { name: "plus" }),
      " ",
      /* @__PURE__ */ a4("span", { children: t4("new") }),
      " ",
      /* @__PURE__ */ a4(Icon, { name: "chevron", class: "down" })
    ] }),
    /* @__PURE__ */ a4("div", { class: "nav", children: places().map((spot) => /* @__PURE__ */ a4(SpotLink, { spot, children: spot.label() }, spot.href)) }),
    rooms().map(({ Side: End }, i4) => End && /* @__PURE__ */ a4(End, {}, i4))
  ] });
}
function Bar({ account: account2 }) {
  const [open2, setOpen] = d2();
  const close = () => setOpen(void 0);
  const spots = places().filter((spot) => spot.phone === "bar");
  const rest = places().filter((spot) => spot.phone === "more");
  const items = deeds();
  const more = [...rest.map((spot) => ({ icon: spot.icon, label: spot.label(), href: spot.href })), ...mine(account2)];
  const split2 = Math.min(2, spots.length);
  const link = (spot) => /* @__PURE__ */ a4(SpotLink, { spot, children: (spot.short ?? spot.label)() }, spot.href);
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4("nav", { class: "bar", "aria-label": t4("nav"), children: [
      spots.slice(0, split2).map(link),
      items.length > 0 && /* @__PURE__ */ a4("button", { type: "button", class: "bar-new", "aria-haspopup": "dialog", "aria-label": t4("new"), title: t4("new"), onClick: () => setOpen("new"), children: /* @__PURE__ */ a4(Icon, { name: "plus" }) }),
      spots.slice(split2).map(link),
      /* @__PURE__ */ a4("button", { type: "button", "aria-haspopup": "dialog", "aria-current": rest.some(isHere) ? "true" : void 0, onClick: () => setOpen("more"), children: [
        /* @__PURE__ */ a4(Icon, { name: "menu" }),
        " ",
        /* @__PURE__ */ a4("span", { children: t4("more") })
      ] })
    ] }),
    open2 === "new" && /* @__PURE__ */ a4(Sheet, { title: t4("new"), items, close }),
    open2 === "more" && /* @__PURE__ */ a4(Sheet, { title: t4("more"), items: more, close })
  ] });
}
function Sheet({ title, items, close }) {
  return /* @__PURE__ */ a4(Dialog, { title, onClose: close, sheet: true, children: /* @__PURE__ */ a4("ul", { children: items.map((item) => {
    const run2 = item.run && (() => setTimeout(item.run));
    return /* @__PURE__ */ a4("li", { children: /* @__PURE__ */ a4(Item, { item: { ...item, run: run2 }, close }) }, item.label);
  }) }) });
}

// src/shell/home.tsx
function Home() {
  const signedIn2 = me() !== void 0;
  const begin4 = auth.value.is === "repair" ? repairPath() : firstPlace();
  A2(() => {
    if (signedIn2) go(begin4, { replace: true });
  }, [signedIn2, begin4]);
  if (signedIn2 || auth.value.is === "starting") return /* @__PURE__ */ a4(Skeleton, {});
  return /* @__PURE__ */ a4("div", { class: "hero", children: [
    /* @__PURE__ */ a4(Mark, {}),
    /* @__PURE__ */ a4("h1", { children: t4("heroTitle") }),
    /* @__PURE__ */ a4("p", { class: "lead", children: t4("heroText") }),
    /* @__PURE__ */ a4("div", { class: "hero-actions", children: doors().map(({ href, label }, i4) => /* @__PURE__ */ a4("a", { class: i4 === 0 ? "button primary big" : "button big", href, children: label() }, href)) }),
    collect((room) => room.home).map(({ Part: Part2, order }) => /* @__PURE__ */ a4(Part2, {}, order)),
    /* @__PURE__ */ a4("ul", { class: "points", children: collect((room) => room.points).map(({ icon, title, text: text2, order }) => /* @__PURE__ */ a4("li", { children: [
      /* @__PURE__ */ a4(Icon, { name: icon }),
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("h2", { children: title() }),
        /* @__PURE__ */ a4("p", { children: text2() })
      ] })
    ] }, order)) })
  ] });
}

// src/shell/link.ts
var stored5 = "coffer.link";
function useLink() {
  const [secret] = d2(take);
  return { secret, damaged: secret !== "" && !whole(secret), used: () => sessionStorage.removeItem(stored5) };
}
function take() {
  if (location.hash) {
    const secret2 = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
    const id2 = Math.random().toString(36).slice(2);
    if (secret2) sessionStorage.setItem(stored5, `${id2} ${secret2}`);
    history.replaceState({ link: id2 }, "", location.pathname + location.search);
    return secret2;
  }
  const [id, secret] = (sessionStorage.getItem(stored5) ?? "").split(" ");
  const search = new URLSearchParams(location.search);
  const carried3 = search.get("link");
  if (carried3) {
    search.delete("link");
    history.replaceState({ link: carried3 }, "", [location.pathname, search].filter(String).join("?"));
  }
  return id && entry() === id && secret || "";
}
var entry = () => history.state?.link;
function carried() {
  if (location.hash.startsWith("#token=")) take();
  const id = entry();
  return id ? "link=" + id : "";
}
function whole(secret) {
  return /^[\w-]{43}$/.test(secret);
}
function whenGone(token2, path3, gone3, open2 = true) {
  const ask4 = new AbortController();
  if (token2 && whole(token2)) {
    post(path3, { open: open2, body: { token: token2 }, signal: ask4.signal }).catch((err2) => {
      if (!ask4.signal.aborted && err2 instanceof Problem && err2.code === "link_gone") gone3();
    });
  }
  return () => ask4.abort();
}
function useOneTime(path3, open2 = true) {
  const link = useLink();
  const [dead, setDead] = d2(link.damaged ? "damaged" : void 0);
  const gone3 = () => {
    link.used();
    setDead("gone");
  };
  A2(() => whenGone(link.secret, path3, gone3, open2), []);
  return {
    token: link.secret,
    dead,
    used: link.used,
    async use(work4) {
      try {
        await work4(link.secret);
      } catch (err2) {
        if (!(err2 instanceof Problem) || err2.code !== "link_gone") throw err2;
        gone3();
        return false;
      }
      link.used();
      return true;
    }
  };
}

// src/shell/app.tsx
var home = { path: "/", page: Home, title: () => "Coffer", open: true };
var lost = { path: "", page: Lost, title: () => t4("lost"), open: true };
function App() {
  const routes = [home, ...rooms().flatMap((room) => room.routes ?? [])];
  const found = match(routes, place.value.path) ?? { route: lost, params: {} };
  const title = found.route.title();
  const state = auth.value;
  const framed = state.is === "in" && !found.route.alone;
  A2(() => {
    document.title = title === "Coffer" ? title : `${title} – Coffer`;
  }, [title]);
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4("a", { class: "skip", href: "#main", onClick: (event) => {
      event.preventDefault();
      focusMain();
    }, children: t4("skip") }),
    /* @__PURE__ */ a4(Top, { framed }),
    /* @__PURE__ */ a4("div", { class: framed ? "body with-side" : "body", children: [
      framed && /* @__PURE__ */ a4(Side, {}),
      /* @__PURE__ */ a4("main", { id: "main", class: found.route.wide ? "wide" : void 0, tabIndex: -1, children: /* @__PURE__ */ a4(Guarded, { found }) })
    ] }),
    framed ? /* @__PURE__ */ a4(Bar, { account: state.account }) : !me() && state.is !== "starting" && /* @__PURE__ */ a4(Footer, {}),
    state.is === "in" && rooms().map(({ Floating }, i4) => Floating && /* @__PURE__ */ a4(Floating, {}, i4)),
    /* @__PURE__ */ a4(Toasts, {}),
    /* @__PURE__ */ a4(Dialogs, {})
  ] });
}
function focusMain() {
  const heading = document.querySelector("main h1");
  heading?.setAttribute("tabindex", "-1");
  (heading ?? document.getElementById("main")).focus();
}
function Guarded({ found }) {
  const { path: path3 } = place.value;
  const state = auth.value;
  const leave5 = !found.route.open && state.is === "out";
  const away = !found.route.open && state.is === "repair" && found.route.path !== repairPath();
  const shown2 = T2(0);
  A2(() => {
    if (!leave5) return;
    const search = [place.value.search.slice(1), carried()].filter(Boolean).join("&");
    go(signInPath() + "?next=" + encodeURIComponent(path3 + (search && "?" + search)), { replace: true });
  }, [leave5, path3]);
  A2(() => {
    if (away) go(repairPath(), { replace: true });
  }, [away, path3]);
  A2(() => {
    if (path3 !== place.value.path) return;
    if (moves.value !== shown2.current && !document.querySelector("dialog[open]")) {
      const to = document.activeElement;
      if (!to || to === document.body || !to.closest("main") || !to.isConnected) focusMain();
      scrollTo(0, 0);
    }
    shown2.current = moves.value;
  }, [path3, state.is]);
  if (state.is === "starting" && !found.route.open) return /* @__PURE__ */ a4(Skeleton, {});
  if (state.is === "unreachable" && !found.route.open) return /* @__PURE__ */ a4(Failed, { problem: state.problem, retry: state.retry });
  if (leave5 || away) return null;
  const { page: Page3 } = found.route;
  return /* @__PURE__ */ a4(Page3, { params: found.params }, found.route.path + arrivals.value);
}
function Lost() {
  return /* @__PURE__ */ a4(Empty, { icon: "file", title: t4("lost"), page: true, children: [
    /* @__PURE__ */ a4("p", { children: t4("lostText") }),
    /* @__PURE__ */ a4("p", { children: /* @__PURE__ */ a4("a", { class: "button primary", href: "/", children: t4("home") }) })
  ] });
}
function useLeaveWhenIn() {
  const signedIn2 = me() !== void 0;
  A2(() => {
    if (!signedIn2) return;
    if (auth.value.is === "repair") return go(repairPath(), { replace: true });
    const next = safeNext(new URLSearchParams(location.search).get("next"), location.origin, firstPlace());
    go(next.split("?")[0] === location.pathname ? firstPlace() : next, { replace: true });
  }, [signedIn2]);
}

// src/shell/link-page.tsx
function DeadLink({ dead, gone: gone3, damaged = t4("linkDamagedText"), icon = "mail", children }) {
  A2(() => {
    if (dead === "gone") focusMain();
  }, []);
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: icon }) }),
    /* @__PURE__ */ a4("h1", { children: dead === "damaged" ? t4("linkDamaged") : t4("linkGone") }),
    /* @__PURE__ */ a4("p", { children: dead === "damaged" ? damaged : gone3 }),
    children
  ] });
}
function SignInLink(props) {
  const door = signInDoor();
  return door && !me() ? /* @__PURE__ */ a4("a", { ...props, href: door.href, children: door.label() }) : null;
}
function NewPasswordLink(props) {
  const way = wayBack("password");
  return way ? /* @__PURE__ */ a4("a", { ...props, href: way.href, children: t4("newPassword") }) : null;
}

// src/account/change-links.tsx
function ConfirmEmail() {
  const link = useOneTime("/account/email/confirm/check", false);
  const me3 = auth.value.is === "in" ? auth.value.account : void 0;
  if (link.dead || !link.token) {
    return /* @__PURE__ */ a4(DeadLink, { dead: link.dead ?? "damaged", gone: t5("confirmGone", { name: me3?.username ?? "" }), children: /* @__PURE__ */ a4("div", { class: "form-actions", children: /* @__PURE__ */ a4("a", { class: "button primary", href: "/account", children: t5("toAccount") }) }) });
  }
  return /* @__PURE__ */ a4("div", { class: "card narrow centre", children: [
    /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "mail" }) }),
    /* @__PURE__ */ a4("h1", { children: t5("confirmEmail") }),
    /* @__PURE__ */ a4("p", { children: me3?.pending_email ? t5("confirmEmailText", { email: me3.pending_email }) : t5("confirmEmailBare") }),
    /* @__PURE__ */ a4(Form, { submit: t5("confirmEmailDo"), onSubmit: async () => {
      await link.use(async (token2) => {
        keeper().changed(await post("/account/email/confirm", { body: { token: token2 } }));
        go("/account", { replace: true });
        toast(t5("confirmEmailDone"));
      });
    }, children: null })
  ] });
}
function UndoEmail() {
  const link = useOneTime("/account/email/undo/check");
  const [done, setDone] = d2(false);
  const signedIn2 = auth.value.is === "in";
  A2(() => {
    if (done) focusMain();
  }, [done]);
  A2(() => {
    if (done && signedIn2) void get("/account").catch(() => void 0);
  }, [done, signedIn2]);
  const ways2 = /* @__PURE__ */ a4("div", { class: "form-actions", children: [
    /* @__PURE__ */ a4(NewPasswordLink, { class: "button primary" }),
    /* @__PURE__ */ a4(SignInLink, { class: "button" })
  ] });
  if (done) {
    return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
      /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "shield" }) }),
      /* @__PURE__ */ a4("h1", { children: t5("undoDone") }),
      /* @__PURE__ */ a4("p", { children: t5("undoAdvice") }),
      ways2
    ] });
  }
  if (link.dead === "gone") return /* @__PURE__ */ a4(DeadLink, { dead: "gone", gone: t5("undoGone"), children: ways2 });
  if (link.dead || !link.token) return /* @__PURE__ */ a4(DeadLink, { dead: "damaged", gone: "", children: /* @__PURE__ */ a4("div", { class: "form-actions", children: /* @__PURE__ */ a4(SignInLink, { class: "button primary" }) }) });
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "mail" }) }),
    /* @__PURE__ */ a4("h1", { children: t5("undo") }),
    /* @__PURE__ */ a4("p", { children: t5("undoText") }),
    /* @__PURE__ */ a4("ul", { class: "effects", children: [
      /* @__PURE__ */ a4("li", { children: t5("undoOld") }),
      /* @__PURE__ */ a4("li", { children: t5("undoOut") })
    ] }),
    /* @__PURE__ */ a4(Form, { submit: t5("undoDo"), onSubmit: async () => {
      if (await link.use((token2) => post("/account/email/undo", { open: true, body: { token: token2 } }))) setDone(true);
    }, children: null })
  ] });
}

// src/shell/save.ts
function saveStream(saving, instead) {
  guard();
  const stop = new AbortController();
  const mine2 = {
    name: saving.name,
    received: y3(0),
    state: y3("running"),
    problem: y3(void 0),
    cancel: () => stop.abort(),
    again: () => saveStream(saving, mine2)
  };
  downloads.value = [...downloads.peek().filter((d5) => d5 !== instead), mine2];
  saving.began?.(mine2);
  write(saving, stop.signal, (bytes2) => {
    mine2.received.value += bytes2;
  }).then(() => {
    mine2.state.value = "done";
  }, (err2) => {
    const problem2 = stop.signal.aborted ? cancelled() : asProblem(err2);
    if (problem2.code === "cancelled") {
      mine2.state.value = "cancelled";
      return;
    }
    mine2.problem.value = problem2;
    mine2.state.value = "failed";
  });
}
async function write({ file: file3, open: open2 }, stop, seen) {
  const name = file3();
  const { showSaveFilePicker } = window;
  if (!showSaveFilePicker) {
    const response = await open2(stop);
    const parts = [];
    let held4 = [];
    let bytes2 = 0;
    const put2 = () => {
      parts.push(new Blob(held4));
      held4 = [];
      bytes2 = 0;
    };
    await read2(response, (chunk) => {
      held4.push(chunk);
      bytes2 += chunk.length;
      if (bytes2 >= 4 << 20) put2();
      seen(chunk.length);
    });
    put2();
    return give(new Blob(parts, { type: "application/zip" }), name);
  }
  const handle = await showSaveFilePicker.call(window, { suggestedName: name }).catch(() => {
    throw cancelled();
  });
  try {
    const response = await open2(stop);
    const to = await handle.createWritable();
    try {
      await read2(response, async (chunk) => {
        await to.write(chunk);
        seen(chunk.length);
      });
    } catch (err2) {
      await to.abort();
      throw err2;
    }
    await to.close();
  } catch (err2) {
    await handle.remove?.().catch(() => void 0);
    throw err2;
  }
}
async function read2(response, put2) {
  const reader = response.body.getReader();
  for (; ; ) {
    const { done, value } = await reader.read().catch(() => {
      throw new Problem({ status: 0, code: "download_broken" });
    });
    if (done) return;
    await put2(value);
  }
}
function give(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 6e4);
}
var guarded = false;
function guard() {
  if (guarded) return;
  guarded = true;
  addEventListener("beforeunload", (event) => {
    if (downloading.value > 0) event.preventDefault();
  });
  x2(() => {
    if (auth.value.is !== "out") return;
    for (const d5 of downloads.peek()) if (d5.state.peek() === "running") d5.cancel();
    downloads.value = [];
  });
}

// src/account/export.tsx
var current = y3(void 0);
var running = () => current.value?.state.value === "running";
function ExportSection() {
  return /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": "data", children: /* @__PURE__ */ a4("div", { class: "card-head", children: [
    /* @__PURE__ */ a4("div", { children: [
      /* @__PURE__ */ a4("h2", { id: "data", children: t5("data") }),
      /* @__PURE__ */ a4("p", { class: "hint", children: t5("dataText") })
    ] }),
    /* @__PURE__ */ a4(ExportButton, {})
  ] }) });
}
function ExportButton() {
  return /* @__PURE__ */ a4("button", { type: "button", class: "button", "aria-disabled": running(), onClick: () => {
    if (!running()) begin();
  }, children: [
    running() && /* @__PURE__ */ a4("span", { class: "spinner", "aria-hidden": "true" }),
    running() ? t5("dataRuns") : t5("dataDo")
  ] });
}
function begin() {
  saveStream({
    name: () => t5("data"),
    file: () => `coffer-${(/* @__PURE__ */ new Date()).toISOString().slice(0, 10)}.zip`,
    open: (signal) => stream("/account/export", { signal }),
    began: (download4) => {
      current.value = download4;
    }
  }, current.peek());
}

// src/account/leave.tsx
function Leave({ me: me3 }) {
  const [asking, setAsking] = d2(false);
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": "deactivate", children: /* @__PURE__ */ a4("div", { class: "card-head", children: [
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("h2", { id: "deactivate", children: t5("deactivate") }),
        /* @__PURE__ */ a4("p", { class: "hint", children: t5("deactivateHint") })
      ] }),
      /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => setAsking(true), children: [
        t5("deactivateDo"),
        " …"
      ] })
    ] }) }),
    /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": "delete", children: /* @__PURE__ */ a4("div", { class: "card-head", children: [
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("h2", { id: "delete", children: t5("delete") }),
        /* @__PURE__ */ a4("p", { class: "hint", children: t5("deleteHint") })
      ] }),
      /* @__PURE__ */ a4("a", { class: "button danger-text", href: "/account/delete", children: [
        t5("deleteOpen"),
        " …"
      ] })
    ] }) }),
    asking && /* @__PURE__ */ a4(Confirm, { title: t5("deactivateTitle"), action: t5("deactivateDo"), onClose: () => setAsking(false), onConfirm: async () => {
      await post("/account/deactivate");
      leave("/account/deactivated");
    }, children: [
      /* @__PURE__ */ a4("ul", { class: "effects", children: [
        /* @__PURE__ */ a4("li", { children: t5("deactivateOut") }),
        /* @__PURE__ */ a4("li", { children: t5("deactivateKept") })
      ] }),
      /* @__PURE__ */ a4("p", { class: "address", children: t5(me3.has_password ? "deactivateBack" : "deactivateBackBare", { email: me3.email }) })
    ] })
  ] });
}
function leave(to) {
  keeper().ended(() => go(to, { replace: true }));
  keepLook();
}
function Delete() {
  useParent("/account", t5("account"));
  const me3 = auth.value.is === "in" ? auth.value.account : void 0;
  if (!me3) return null;
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4("h1", { children: t5("delete") }),
    /* @__PURE__ */ a4("p", { class: "notice bad", children: [
      /* @__PURE__ */ a4(Icon, { name: "warning" }),
      " ",
      /* @__PURE__ */ a4("span", { children: t5("deleteLead") })
    ] }),
    /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": "goes", children: [
      /* @__PURE__ */ a4("h2", { id: "goes", children: t5("goes") }),
      /* @__PURE__ */ a4("ul", { class: "effects address", children: [
        /* @__PURE__ */ a4("li", { children: t5("goesAccount", { email: me3.email, username: me3.username }) }),
        collect((room) => room.loss).map(({ Line: Line2, order }) => /* @__PURE__ */ a4(Line2, {}, order))
      ] }),
      /* @__PURE__ */ a4("p", { children: t5("goesFree") })
    ] }),
    /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": "first", children: /* @__PURE__ */ a4("div", { class: "card-head", children: [
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("h2", { id: "first", children: t5("deleteFirst") }),
        /* @__PURE__ */ a4("p", { class: "hint", children: t5("dataText") })
      ] }),
      /* @__PURE__ */ a4(ExportButton, {})
    ] }) }),
    /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": "sure", children: [
      /* @__PURE__ */ a4("h2", { id: "sure", children: t5("deleteSure") }),
      /* @__PURE__ */ a4(Form, { danger: true, wide: true, submit: t5("deleteDo"), onCancel: () => go("/account"), onSubmit: async (v4) => {
        if (v4.username.trim().toLowerCase() !== me3.username.toLowerCase()) throw new Problem({ status: 422, code: "validation_failed", fields: [{ pointer: "/username", code: "other_username" }] });
        await del("/account");
        leave("/account/deleted");
      }, children: [
        /* @__PURE__ */ a4("p", { children: t5("deleteType", { username: me3.username }) }),
        /* @__PURE__ */ a4(Field, { name: "username", label: t5("deleteName"), autoComplete: "off", required: true, spellcheck: false })
      ] })
    ] })
  ] });
}
function Deactivated() {
  useLeaveWhenIn();
  const back = wayBack("activate");
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "user" }) }),
    /* @__PURE__ */ a4("h1", { children: t5("deactivated") }),
    /* @__PURE__ */ a4("p", { children: t5("deactivatedText") }),
    /* @__PURE__ */ a4("p", { children: t5("deactivatedBack") }),
    /* @__PURE__ */ a4("div", { class: "form-actions", children: [
      back && /* @__PURE__ */ a4("a", { class: "button primary", href: back.href, children: back.label() }),
      /* @__PURE__ */ a4("a", { class: "button", href: "/", children: t5("toHome") })
    ] })
  ] });
}
function Deleted() {
  useLeaveWhenIn();
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "check" }) }),
    /* @__PURE__ */ a4("h1", { children: t5("deleted") }),
    /* @__PURE__ */ a4("p", { children: t5("deletedText") }),
    /* @__PURE__ */ a4("p", { children: t5("deletedAgain") }),
    /* @__PURE__ */ a4("div", { class: "form-actions", children: /* @__PURE__ */ a4("a", { class: "button", href: "/", children: t5("toHome") }) })
  ] });
}

// src/shell/send-again.tsx
function SendAgain({ send: send4 }) {
  const [wait, setWait] = useWait();
  return /* @__PURE__ */ a4("button", { type: "button", class: "button", disabled: wait > 0, onClick: async (event) => {
    try {
      const said = await send4(event.currentTarget.form);
      if (!said) return;
      toast(said);
      setWait(30);
    } catch (err2) {
      if (err2 instanceof Problem && err2.retryAfter) setWait(err2.retryAfter);
      toastProblem(err2);
    }
  }, children: wait > 0 ? t4("resendWait", { time: duration(wait) }) : t4("resend") });
}

// src/account/email.tsx
function Email({ me: me3 }) {
  const [sent, setSent] = d2(0);
  const pending = me3.pending_email;
  A2(() => {
    if (!pending) return;
    const seen = () => document.visibilityState === "visible" && void refresh().catch(() => void 0);
    document.addEventListener("visibilitychange", seen);
    return () => document.removeEventListener("visibilitychange", seen);
  }, [pending]);
  return /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": "email", children: [
    /* @__PURE__ */ a4("h2", { id: "email", children: t5("email") }),
    /* @__PURE__ */ a4("p", { class: "address", children: [
      /* @__PURE__ */ a4("span", { class: "hint", children: t5("emailNow") }),
      " ",
      /* @__PURE__ */ a4("strong", { children: me3.email })
    ] }),
    pending && /* @__PURE__ */ a4("div", { class: "notice", role: "status", children: [
      /* @__PURE__ */ a4(Icon, { name: "mail" }),
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("p", { class: "address", children: t5("emailPending", { pending, email: me3.email }) }),
        /* @__PURE__ */ a4(SendAgain, { send: async () => {
          await post("/account/email", { body: { email: pending } });
          return t5("emailSentAgain");
        } }, pending)
      ] })
    ] }),
    /* @__PURE__ */ a4(Form, { wide: true, quiet: true, submit: t5("emailChange"), onSubmit: async (v4) => {
      await post("/account/email", { body: { email: v4.email } });
      await refresh();
      setSent(sent + 1);
      toast(t5("emailSent"));
    }, children: /* @__PURE__ */ a4(Field, { name: "email", label: t5("emailNew"), type: "email", inputMode: "email", autoComplete: "email", required: true, spellcheck: false, hint: t5("emailNewHint") }) }, sent)
  ] });
}
async function refresh() {
  keeper().changed(await get("/account"));
}

// src/account/fields.tsx
function Names({ value }) {
  return /* @__PURE__ */ a4("div", { class: "pair", children: [
    /* @__PURE__ */ a4(Field, { name: "first_name", label: t5("firstName"), autoComplete: "given-name", required: true, maxLength: 100, value: value?.first_name }),
    /* @__PURE__ */ a4(Field, { name: "last_name", label: t5("lastName"), autoComplete: "family-name", required: true, maxLength: 100, value: value?.last_name })
  ] });
}
function Username({ value }) {
  return /* @__PURE__ */ a4(Field, { name: "username", label: t5("username"), hint: t5("usernameHint"), autoComplete: "username", required: true, maxLength: 32, spellcheck: false, value });
}
function newAccount(v4) {
  return { first_name: v4.first_name, last_name: v4.last_name, username: v4.username, email: v4.email, password: v4.password };
}

// src/account/profile.tsx
function Profile() {
  const { data, problem: problem2, reload, set } = useLoad((signal) => get("/account", { signal }), []);
  A2(() => {
    if (data) keeper().changed(data);
  }, [data]);
  if (problem2) return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4("h1", { children: t5("account") }),
    /* @__PURE__ */ a4(Failed, { problem: problem2, retry: reload })
  ] });
  if (!data) return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4("h1", { children: t5("account") }),
    /* @__PURE__ */ a4(Skeleton, { rows: 5 })
  ] });
  const me3 = auth.value.is === "in" ? auth.value.account : data;
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4("h1", { children: t5("account") }),
    /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": "profile", children: [
      /* @__PURE__ */ a4("h2", { id: "profile", children: t5("profile") }),
      collect((room) => room.profile).map(({ Part: Part2, order }) => /* @__PURE__ */ a4(Part2, {}, order)),
      /* @__PURE__ */ a4(ProfileForm, { me: data, onSaved: set })
    ] }),
    /* @__PURE__ */ a4(Email, { me: me3 }),
    collect((room) => room.account).map(({ Section: Section6, order }) => /* @__PURE__ */ a4(Section6, {}, order)),
    /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": "facts", children: [
      /* @__PURE__ */ a4("h2", { id: "facts", children: t5("facts") }),
      /* @__PURE__ */ a4("dl", { class: "facts", children: [
        /* @__PURE__ */ a4("div", { children: [
          /* @__PURE__ */ a4("dt", { children: t5("since") }),
          /* @__PURE__ */ a4("dd", { children: /* @__PURE__ */ a4(Time, { at: me3.created_at, children: date(me3.created_at) }) })
        ] }),
        me3.sign_in_summary?.previous_at && /* @__PURE__ */ a4("div", { children: [
          /* @__PURE__ */ a4("dt", { children: t5("previous") }),
          /* @__PURE__ */ a4("dd", { children: /* @__PURE__ */ a4(Time, { at: me3.sign_in_summary.previous_at, children: ago(me3.sign_in_summary.previous_at) }) })
        ] }),
        me3.role === "admin" && /* @__PURE__ */ a4("div", { children: [
          /* @__PURE__ */ a4("dt", { children: t5("role") }),
          /* @__PURE__ */ a4("dd", { children: /* @__PURE__ */ a4("span", { class: "tag", children: t5("admin") }) })
        ] })
      ] })
    ] }),
    /* @__PURE__ */ a4(ExportSection, {}),
    /* @__PURE__ */ a4(Leave, { me: me3 })
  ] });
}
function ProfileForm({ me: me3, onSaved }) {
  const [saved, setSaved] = d2(0);
  return /* @__PURE__ */ a4(Form, { wide: true, submit: t5("save"), onSubmit: async (v4) => {
    const changed3 = {};
    for (const name of ["first_name", "last_name", "username", "bio", "language"]) if (v4[name] !== me3[name]) changed3[name] = v4[name];
    if (Object.keys(changed3).length) onSaved(await patch("/account", { body: changed3 }));
    if (changed3.language && isLang(changed3.language)) setLang(changed3.language);
    setSaved(saved + 1);
    toast(t5("saved"));
  }, children: [
    /* @__PURE__ */ a4(Names, { value: me3 }),
    /* @__PURE__ */ a4(Username, { value: me3.username }),
    /* @__PURE__ */ a4(TextArea, { name: "bio", label: t5("bio"), hint: t5("bioHint"), value: me3.bio, maxLength: 500 }),
    /* @__PURE__ */ a4(Select, { name: "language", label: t5("language"), hint: t5("languageHint"), value: me3.language || lang.value, options: languages })
  ] }, saved);
}

// src/shell/turn-off.tsx
function Used({ line }) {
  if (!line?.enabled || !line.since) return null;
  return /* @__PURE__ */ a4("p", { class: "hint", children: [
    t4("onSince"),
    " ",
    /* @__PURE__ */ a4(Time, { at: line.since, children: date(line.since) }),
    " · ",
    line.last_used ? /* @__PURE__ */ a4($, { children: [
      t4("lastUsed"),
      " ",
      /* @__PURE__ */ a4(Time, { at: line.last_used, children: ago(line.last_used) })
    ] }) : t4("neverUsed")
  ] });
}
function TurnOff({ title, children, off, onOff, onClose }) {
  const [ends2, setEnds] = d2();
  const recovery2 = ends2 !== void 0;
  return /* @__PURE__ */ a4(Confirm, { title: recovery2 ? t4("waysBackTitle") : title, action: recovery2 ? t4("turnOffBoth") : t4("turnOff"), onClose, onConfirm: async () => {
    try {
      await off(recovery2 ? "off" : void 0);
    } catch (err2) {
      if (recovery2 || !(err2 instanceof Problem) || err2.code !== "recovery_needs_two_layers") throw err2;
      setEnds(await waysOn());
      return false;
    }
    await onOff();
  }, children: !ends2 ? children : /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4("p", { children: t4("waysBackText") }),
    ends2.length > 0 && /* @__PURE__ */ a4("ul", { children: ends2.map((name) => /* @__PURE__ */ a4("li", { children: name }, name)) }),
    /* @__PURE__ */ a4("p", { children: t4("waysBackKeep") })
  ] }) }, String(recovery2));
}
async function waysOn() {
  const lines = await get("/account/security");
  return collect((room) => room.security).flatMap(({ ways: ways2 = {} }) => Object.entries(ways2)).flatMap(([name, say2]) => lines[name]?.enabled ? say2(lines[name]) : []);
}

// src/shell/layer.tsx
function leadToStep(layer) {
  const card = document.getElementById(layer)?.closest("section");
  card?.querySelector(".button")?.focus({ preventScroll: true });
  card?.scrollIntoView({ block: "center" });
}
function LayerCard({ layer, title, status: { data, problem: problem2 }, text: text2, buttons, children }) {
  const line = data?.[layer];
  const on = line?.enabled ?? false;
  return /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": layer, children: [
    /* @__PURE__ */ a4("div", { class: "card-head", children: [
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("h2", { id: layer, children: [
          title,
          " ",
          data && /* @__PURE__ */ a4("span", { class: on ? "tag good" : "tag", children: on ? t4("on") : t4("off") })
        ] }),
        /* @__PURE__ */ a4("p", { class: "hint", children: text2(on, line) }),
        /* @__PURE__ */ a4(Used, { line })
      ] }),
      data && /* @__PURE__ */ a4("div", { class: "card-buttons", children: buttons(on) })
    ] }),
    !data && !problem2 && /* @__PURE__ */ a4(Skeleton, { rows: 1 }),
    children
  ] });
}

// src/account/advice.ts
var about = {
  addApp: "totp",
  mailOnly: "totp",
  questionOnly: "totp",
  mailAndQuestion: "totp",
  smsOnly: "totp",
  addPasskey: "passkeys",
  makeCodes: "backup_codes",
  fewCodes: "backup_codes",
  noCodes: "backup_codes"
};
function rate(lines) {
  const on = (name) => lines[name]?.enabled ?? false;
  const has = (name) => Object.hasOwn(lines, name);
  const linked = Object.keys(lines).some((name) => name.startsWith("identity_") && on(name));
  if (lines.password?.enabled === false && !linked && on("passkeys")) return { strength: "strong", advice: lines.passkeys.left === 1 ? "addPasskey" : "lookPasskeys" };
  const steps3 = ["totp", "sms", "email_otp", "security_question"].filter(on).length;
  if (steps3 === 0) return { strength: "weak", advice: has("totp") ? "addApp" : "addAnyStep" };
  if (!on("totp") && !on("sms")) {
    const advice = !has("totp") ? "lookNow" : !on("security_question") ? "mailOnly" : !on("email_otp") ? "questionOnly" : "mailAndQuestion";
    return { strength: "fair", advice };
  }
  const strength = on("totp") ? "strong" : "good";
  if (!on("totp") && has("totp")) return { strength, advice: "smsOnly" };
  if (has("backup_codes")) {
    const codes2 = lines.backup_codes.left;
    if (steps3 < 2) return { strength, advice: "addSecond" };
    if (!on("backup_codes")) return { strength, advice: "makeCodes" };
    if (codes2 === 0) return { strength, advice: "noCodes" };
    if (codes2 !== void 0 && codes2 <= 3) return { strength, advice: "fewCodes", codes: codes2 };
  }
  return { strength, advice: "lookNow" };
}

// src/shell/rules.ts
var passwordMin = 12;
var longEnough = (password, min = passwordMin) => [...password.normalize("NFC")].length >= min;
function personal(password, about2) {
  let left2 = password.normalize("NFC").toLowerCase();
  const words2 = ["coffer"];
  for (const text2 of about2) {
    const lower2 = text2.normalize("NFC").toLowerCase();
    words2.push(lower2, ...lower2.split(/[^\p{L}\p{M}]+/u));
  }
  words2.sort((a5, b4) => b4.length - a5.length);
  let found = false;
  for (const word of words2) {
    if ([...word].length < 3 || !left2.includes(word)) continue;
    left2 = left2.replaceAll(word, " ");
    found = true;
  }
  return found && !/\p{L}/u.test(left2);
}

// src/shell/settings.ts
var settings = y3(void 0);
var asked2;
function useSettings() {
  A2(() => void settled(), []);
  return settings.value;
}
function settled() {
  return asked2 ??= get("/settings", { open: true }).then((answer) => void (settings.value = answer), () => void (asked2 = void 0));
}

// src/shell/new-password.tsx
function NewPassword({ name = "password", label = t4("password"), about: about2 = [], stranger, autoFocus }) {
  const [met, setMet] = d2({ length: false, own: false });
  const list2 = T2(null);
  const min = useSettings()?.password_min ?? passwordMin;
  const known3 = about2.join("\n");
  F2(() => {
    const form = list2.current.closest("form");
    const look2 = () => {
      const value = (field) => form.elements.namedItem(field)?.value ?? "";
      const password = value(name);
      const own = [...known3.split("\n"), value("first_name"), value("last_name"), value("username"), value("email").split("@")[0]];
      setMet({ length: longEnough(password, min), own: password !== "" && !personal(password, own) });
    };
    look2();
    form.addEventListener("input", look2);
    return () => form.removeEventListener("input", look2);
  }, [min, known3]);
  const rules = /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4("ul", { class: "rules", ref: list2, children: [
      /* @__PURE__ */ a4(Rule, { met: met.length, text: t4("ruleLength", { count: min }) }),
      !stranger && /* @__PURE__ */ a4(Rule, { met: met.own, text: t4("ruleOwn") })
    ] }),
    /* @__PURE__ */ a4("p", { children: t4(stranger ? "ruleStranger" : "ruleWords") })
  ] });
  return /* @__PURE__ */ a4(Password, { name, label, autoComplete: "new-password", required: true, hint: rules, autoFocus });
}
function Rule({ met, text: text2 }) {
  return /* @__PURE__ */ a4("li", { class: met ? "met" : void 0, children: [
    /* @__PURE__ */ a4(Icon, { name: met ? "check" : "chevron" }),
    " ",
    text2,
    " ",
    /* @__PURE__ */ a4("span", { class: "hidden", children: met ? t4("ruleMet") : "" })
  ] });
}

// src/account/password.tsx
function Password2({ onChanged }) {
  const [open2, setOpen] = d2(false);
  const has = auth.value.is !== "in" || auth.value.account.has_password;
  return /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": "password", children: [
    /* @__PURE__ */ a4("div", { class: "card-head", children: [
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("h2", { id: "password", children: [
          t5("passwordHead"),
          " ",
          !has && /* @__PURE__ */ a4("span", { class: "tag", children: t5("passwordNone") })
        ] }),
        /* @__PURE__ */ a4("p", { class: "hint", children: has ? t5("passwordText") : t5("passwordNoneText") })
      ] }),
      /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => setOpen(true), children: has ? t5("passwordChange") : t5("passwordSet") })
    ] }),
    open2 && /* @__PURE__ */ a4(Change, { first: !has, onClose: () => setOpen(false), onChanged })
  ] });
}
function Change({ first, onClose, onChanged }) {
  const me3 = auth.value.is === "in" ? auth.value.account : void 0;
  const title = first ? t5("passwordSet") : t5("passwordChange");
  return /* @__PURE__ */ a4(Dialog, { title, onClose, children: /* @__PURE__ */ a4(Form, { submit: title, onCancel: onClose, onSubmit: async (v4) => {
    const others2 = v4.revoke_others === "on";
    const opened = await put("/account/password", { body: { ...!first && { current_password: v4.current_password }, new_password: v4.new_password, revoke_others: others2 } }).catch((err2) => {
      throw err2 instanceof Problem && err2.code === "invalid_credentials" && !first ? new Problem({ status: 422, code: "validation_failed", fields: [{ pointer: "/current_password", code: "wrong_password" }] }) : err2;
    });
    if ("access_token" in opened) await keeper().take(opened);
    onClose();
    if (first) keeper().changed(await get("/account"));
    onChanged();
    toast(first ? others2 ? t5("passwordSetDoneOut") : t5("passwordSetDone") : others2 ? t5("passwordChangedOut") : t5("passwordChanged"));
  }, children: [
    /* @__PURE__ */ a4("input", { class: "hidden", type: "text", name: "username", autoComplete: "username", readOnly: true, tabIndex: -1, "aria-hidden": "true", value: me3?.username ?? "" }),
    !first && /* @__PURE__ */ a4(Password, { name: "current_password", label: t5("passwordCurrent"), autoComplete: "current-password", required: true, autoFocus: true }),
    /* @__PURE__ */ a4(NewPassword, { name: "new_password", label: t5("passwordNew"), autoFocus: first, about: me3 && [me3.first_name, me3.last_name, me3.username, me3.email.split("@")[0]] }),
    /* @__PURE__ */ a4(Check, { name: "revoke_others", label: t5("passwordOut"), hint: first ? t5("passwordSetOutHint") : t5("passwordOutHint"), checked: true })
  ] }) });
}

// src/account/security.tsx
function Security() {
  const status = useLoad((signal) => get("/account/security", { signal }), []);
  const [round, setRound] = d2(0);
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4("h1", { children: t5("security") }),
    status.data && Object.keys(status.data).length > 0 && /* @__PURE__ */ a4(Glance, { lines: status.data }),
    status.problem && /* @__PURE__ */ a4(Failed, { problem: status.problem, retry: status.reload }),
    /* @__PURE__ */ a4(Password2, { onChanged: () => setRound(round + 1) }),
    collect((room) => room.security).map(({ Section: Section6, order }) => /* @__PURE__ */ a4(Section6, { status }, `${order} ${round}`))
  ] });
}
var icons = { weak: "warning", fair: "shield", good: "shield", strong: "shield" };
function Glance({ lines }) {
  const { strength, advice, codes: codes2 } = rate(lines);
  const on = stepsOf(lines, true);
  const bare = lines.password?.enabled === false;
  const waysIn = collect((room) => room.wayIn);
  const all2 = collect((room) => room.security).flatMap(({ ways: ways3 }) => Object.entries(ways3 ?? {})).filter(([line]) => lines[line]);
  const ways2 = all2.filter(([line]) => lines[line].enabled);
  return /* @__PURE__ */ a4("section", { class: `glance ${strength}`, "aria-labelledby": "glance", children: [
    /* @__PURE__ */ a4("span", { class: "glance-icon", children: /* @__PURE__ */ a4(Icon, { name: icons[strength] }) }),
    /* @__PURE__ */ a4("div", { children: [
      /* @__PURE__ */ a4("h2", { id: "glance", children: bare && (strength === "weak" || strength === "fair") ? t5(`bare_${strength}`) : t5(`strength_${strength}`) }),
      /* @__PURE__ */ a4("p", { children: bare && (advice === "addApp" || advice === "addAnyStep" || advice === "lookNow") ? t5(`bare_${advice}`) : t5(`advice_${advice}`, { count: codes2 ?? 0 }) }),
      /* @__PURE__ */ a4(Next, { advice, lines }),
      /* @__PURE__ */ a4("ul", { class: "glance-on", "aria-label": t5("asked"), children: [
        !bare && /* @__PURE__ */ a4("li", { children: [
          /* @__PURE__ */ a4(Icon, { name: "check" }),
          " ",
          t5("passwordHead")
        ] }),
        waysIn.filter(({ alone: alone2 }) => !alone2).map(({ Names: Names3, order }) => /* @__PURE__ */ a4(Names3, { lines }, order)),
        on.map((step) => layerStep(step).title()).map((name) => /* @__PURE__ */ a4("li", { children: [
          /* @__PURE__ */ a4(Icon, { name: "check" }),
          " ",
          name
        ] }, name)),
        waysIn.filter(({ alone: alone2 }) => alone2).map(({ Names: Names3, order }) => /* @__PURE__ */ a4(Names3, { lines }, order))
      ] }),
      on.length > 0 && all2.length > 0 && /* @__PURE__ */ a4("ul", { class: "glance-on", "aria-label": t5("ways"), children: [
        ways2.map(([line, say2]) => /* @__PURE__ */ a4("li", { children: [
          /* @__PURE__ */ a4(Icon, { name: "check" }),
          " ",
          say2(lines[line])
        ] }, line)),
        ways2.length === 0 && /* @__PURE__ */ a4("li", { class: "glance-none", children: [
          /* @__PURE__ */ a4(Icon, { name: "warning" }),
          " ",
          t5("noWays")
        ] })
      ] })
    ] })
  ] });
}
function Next({ advice, lines }) {
  const line = about[advice];
  const step = stepsOf(lines, false)[0];
  const begin4 = line && collect((room) => room.security).find(({ advised }) => advised?.line === line)?.advised;
  if (begin4) return /* @__PURE__ */ a4("div", { children: /* @__PURE__ */ a4("button", { type: "button", class: "button primary", onClick: begin4.run, children: begin4.label(lines[line].enabled) }) });
  if (advice !== "addSecond" && advice !== "addAnyStep" || !step) return null;
  return /* @__PURE__ */ a4("div", { children: /* @__PURE__ */ a4("button", { type: "button", class: "button primary", onClick: () => leadToStep(step), children: t5("chooseStep") }) });
}

// src/shell/entries.tsx
function Others({ children, before: before2 }) {
  const or = /* @__PURE__ */ a4("p", { class: "or", children: /* @__PURE__ */ a4("span", { children: t4("or") }) });
  return /* @__PURE__ */ a4("div", { class: "others", children: [
    !before2 && or,
    children,
    before2 && or
  ] });
}
function Entries(props) {
  const ways2 = collect((room) => room.enter).filter(({ signUp }) => signUp || !props.signUp);
  return ways2.length > 0 ? /* @__PURE__ */ a4(Others, { children: ways2.map(({ Entry, order }) => /* @__PURE__ */ a4(Entry, { ...props }, order)) }) : null;
}

// src/account/sign-up.tsx
function SignUp() {
  useLeaveWhenIn();
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("h1", { children: t5("signUp") }),
    /* @__PURE__ */ a4(Form, { submit: t5("signUp"), onSubmit: async (v4) => {
      await post("/auth/sign-up", { open: true, body: newAccount(v4) });
      setAwaited(v4.email);
      go("/verify-email");
    }, children: [
      /* @__PURE__ */ a4(Names, {}),
      /* @__PURE__ */ a4(Username, {}),
      /* @__PURE__ */ a4(Field, { name: "email", label: t5("email"), type: "email", inputMode: "email", autoComplete: "email", required: true, spellcheck: false, hint: t5("emailHint") }),
      /* @__PURE__ */ a4(NewPassword, {})
    ] }),
    /* @__PURE__ */ a4(Entries, { signUp: true, onOpened: (opened) => keeper().enter(opened) }),
    /* @__PURE__ */ a4("p", { class: "aside", children: [
      t5("haveAccount"),
      " ",
      /* @__PURE__ */ a4(SignInLink, {})
    ] })
  ] });
}
function FirstAdmin() {
  const link = useLink();
  const [over3, setOver] = d2(false);
  const gone3 = () => {
    link.used();
    setOver(true);
  };
  A2(() => whenGone(link.secret, "/auth/first-admin/check", gone3), []);
  if (link.damaged || over3) {
    return /* @__PURE__ */ a4(DeadLink, { dead: over3 ? "gone" : "damaged", gone: t5("firstAdminGone"), damaged: t5("firstAdminDamaged"), icon: "shield", children: /* @__PURE__ */ a4("p", { children: /* @__PURE__ */ a4(SignInLink, { class: over3 ? "button primary" : "button" }) }) });
  }
  if (!link.secret) {
    return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
      /* @__PURE__ */ a4("h1", { children: t5("firstAdmin") }),
      /* @__PURE__ */ a4("p", { children: t5("firstAdminNoToken") }),
      /* @__PURE__ */ a4("p", { children: /* @__PURE__ */ a4(SignInLink, { class: "button" }) })
    ] });
  }
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "shield" }) }),
    /* @__PURE__ */ a4("h1", { children: t5("firstAdmin") }),
    /* @__PURE__ */ a4("p", { children: t5("firstAdminText") }),
    /* @__PURE__ */ a4(Form, { submit: t5("firstAdminDo"), onSubmit: async (v4) => {
      try {
        await post("/auth/first-admin", { open: true, body: { token: link.secret, ...newAccount(v4) } });
      } catch (err2) {
        if (!(err2 instanceof Problem) || err2.code !== "link_gone") throw err2;
        return gone3();
      }
      link.used();
      go(signInPath());
      toast(t5("firstAdminDone"));
    }, children: [
      /* @__PURE__ */ a4(Names, {}),
      /* @__PURE__ */ a4(Username, {}),
      /* @__PURE__ */ a4(Field, { name: "email", label: t5("email"), type: "email", inputMode: "email", autoComplete: "email", required: true, spellcheck: false }),
      /* @__PURE__ */ a4(NewPassword, {})
    ] })
  ] });
}

// src/account/verify.tsx
var proven2 = new BroadcastChannel("coffer.sign-up");
function Verify() {
  const link = useLink();
  const [token2, setToken] = d2(link.secret);
  const [dead, setDead] = d2(link.damaged ? "damaged" : void 0);
  const [taken, setTaken] = d2(false);
  const [elsewhere, setElsewhere] = d2(false);
  A2(() => whenGone(token2, "/auth/verify-email/check", () => {
    link.used();
    setDead("gone");
  }), [token2]);
  A2(() => {
    if (token2) return;
    proven2.onmessage = () => done();
    return () => {
      proven2.onmessage = null;
    };
  }, [token2]);
  function done() {
    link.used();
    setAwaited("");
    go(signInPath());
    toast(t5("verified"));
  }
  async function prove(proof2, v4) {
    try {
      await post("/auth/verify-email", { open: true, body: { ...proof2, ...v4.username && { username: v4.username }, ...v4.password && { password: v4.password } } });
    } catch (err2) {
      if (err2 instanceof Problem && err2.code === "link_gone" && token2) {
        link.used();
        return setDead("gone");
      }
      if (err2 instanceof Problem && err2.code === "username_taken") setTaken(true);
      if (err2 instanceof Problem && err2.code === "sign_up_proof_required") {
        if (!v4.password) return setElsewhere(true);
        throw new Problem({ status: 422, code: "validation_failed", fields: [{ pointer: "/password", code: "wrong_sign_up" }] });
      }
      throw err2;
    }
    proven2.postMessage("");
    done();
  }
  const password = elsewhere && /* @__PURE__ */ a4(Password, { name: "password", label: t5("elsewherePassword"), autoComplete: "current-password", required: true, autoFocus: true });
  const others2 = elsewhere && /* @__PURE__ */ a4("p", { class: "aside", children: [
    t5("elsewhereOthers"),
    " ",
    /* @__PURE__ */ a4("a", { href: "/sign-up", children: t5("signUpAgain") })
  ] });
  if (dead) {
    return /* @__PURE__ */ a4(DeadLink, { dead, gone: t5("linkGoneText"), damaged: t5("linkDamagedText"), children: /* @__PURE__ */ a4(NewLink, { onSent: () => {
      link.used();
      setToken("");
      setDead(void 0);
    } }) });
  }
  if (token2) {
    return /* @__PURE__ */ a4("div", { class: elsewhere ? "card narrow" : "card narrow centre", children: [
      /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "mail" }) }),
      /* @__PURE__ */ a4("h1", { children: t5("confirmTitle") }),
      /* @__PURE__ */ a4("p", { children: elsewhere ? t5("elsewhereText") : t5("confirmText") }),
      /* @__PURE__ */ a4(Form, { submit: t5("confirm"), onSubmit: (v4) => prove({ token: token2 }, v4), children: [
        password,
        taken && /* @__PURE__ */ a4(Username, {})
      ] }),
      others2
    ] });
  }
  const email = awaited.value;
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "mail" }) }),
    /* @__PURE__ */ a4("h1", { children: t5("checkMail") }),
    /* @__PURE__ */ a4("p", { children: email ? t5("checkMailText", { email }) : t5("checkMailBare") }),
    /* @__PURE__ */ a4(Form, { submit: t5("confirm"), onSubmit: (v4) => prove({ email: email || v4.email, code: digits(v4.code) }, v4), extra: /* @__PURE__ */ a4(Resend, { email }), children: [
      !email && /* @__PURE__ */ a4(Field, { name: "email", label: t5("email"), type: "email", autoComplete: "email", required: true, spellcheck: false }),
      /* @__PURE__ */ a4(Code, { label: t5("code"), hint: t5("codeHint"), autoFocus: !!email }),
      elsewhere && /* @__PURE__ */ a4("div", { class: "notice", role: "status", children: [
        /* @__PURE__ */ a4(Icon, { name: "device" }),
        /* @__PURE__ */ a4("p", { children: t5("elsewhereText") })
      ] }),
      password,
      taken && /* @__PURE__ */ a4(Username, {})
    ] }),
    others2,
    /* @__PURE__ */ a4("p", { class: "aside", children: [
      t5("noMail"),
      " ",
      email && /* @__PURE__ */ a4("button", { type: "button", class: "link", onClick: () => setAwaited(""), children: t5("otherEmail") })
    ] })
  ] });
}
function NewLink({ onSent }) {
  return /* @__PURE__ */ a4(Form, { submit: t5("newLink"), extra: /* @__PURE__ */ a4(SignInLink, { class: "button" }), onSubmit: async (v4) => {
    await post("/auth/verify-email/resend", { open: true, body: { email: v4.email } });
    setAwaited(v4.email);
    onSent();
    toast(t5("resent"));
  }, children: /* @__PURE__ */ a4(Field, { name: "email", label: t5("email"), type: "email", autoComplete: "email", required: true, spellcheck: false, value: awaited.value }) });
}
function Resend({ email }) {
  return /* @__PURE__ */ a4(SendAgain, { send: async (form) => {
    const typed2 = form?.elements.namedItem("email");
    if (typed2 && !typed2.reportValidity()) return;
    await post("/auth/verify-email/resend", { open: true, body: { email: email || typed2.value } });
    return t5("resent");
  } });
}

// src/account/room.ts
var account = {
  routes: [
    { path: "/sign-up", page: SignUp, title: () => t5("signUp"), open: true },
    { path: "/verify-email", page: Verify, title: () => t5("verify"), open: true },
    { path: "/first-admin", page: FirstAdmin, title: () => t5("firstAdmin"), open: true },
    { path: "/confirm-email", page: ConfirmEmail, title: () => t5("confirmEmail") },
    { path: "/undo-email", page: UndoEmail, title: () => t5("undo"), open: true },
    { path: "/security", page: Security, title: () => t5("security") },
    { path: "/account", page: Profile, title: () => t5("account") },
    { path: "/account/delete", page: Delete, title: () => t5("delete") },
    { path: "/account/deactivated", page: Deactivated, title: () => t5("deactivated"), open: true },
    { path: "/account/deleted", page: Deleted, title: () => t5("deleted"), open: true }
  ],
  door: { href: "/sign-up", label: () => t5("signUp"), order: 1 },
  menu: [
    { href: "/account", icon: "user", label: () => t5("account"), order: 1 },
    { href: "/security", icon: "shield", label: () => t5("security"), order: 2 }
  ],
  security: { Section: AlwaysAsk, order: 5 },
  securityPage: { href: "/security", label: () => t5("toSecurity") },
  problems: problems2,
  start: startAwaited
};

// src/shell/drop-zone.tsx
function DropZone({ label, onDrop }) {
  const [dragging, setDragging] = d2(false);
  useDrop(onDrop, setDragging);
  return dragging ? /* @__PURE__ */ a4("div", { class: "drop", "aria-hidden": "true", children: /* @__PURE__ */ a4("div", { children: [
    /* @__PURE__ */ a4(Icon, { name: "upload" }),
    /* @__PURE__ */ a4("p", { children: label })
  ] }) }) : null;
}
function useDrop(drop2, setDragging) {
  const latest = T2(drop2);
  latest.current = drop2;
  F2(() => {
    let depth = 0;
    const carries = (event) => event.dataTransfer?.types.includes("Files") ?? false;
    const on = [
      ["dragenter", () => {
        depth++;
        setDragging(true);
      }],
      ["dragleave", () => {
        if (--depth <= 0) {
          depth = 0;
          setDragging(false);
        }
      }],
      ["dragover", (event) => {
        event.dataTransfer.dropEffect = "copy";
      }],
      ["drop", (event) => {
        depth = 0;
        setDragging(false);
        latest.current(event.dataTransfer);
      }]
    ];
    const bound = on.map(([name, act]) => {
      const handler = (event) => {
        if (!carries(event)) return;
        event.preventDefault();
        act(event);
      };
      document.addEventListener(name, handler);
      return [name, handler];
    });
    return () => bound.forEach(([name, handler]) => document.removeEventListener(name, handler));
  }, []);
}

// src/avatar/crop.ts
var least = 64;
var largest = ({ width, height }) => Math.min(width, height);
var smallest = (of) => Math.min(least, largest(of));
function held(of, x3, y5, side) {
  const kept4 = Math.min(largest(of), Math.max(smallest(of), side));
  const inside = (at, room) => Math.min(Math.max(0, at), room - kept4);
  return { x: inside(x3, of.width), y: inside(y5, of.height), side: kept4 };
}
function centred(of) {
  const side = largest(of);
  return held(of, (of.width - side) / 2, (of.height - side) / 2, side);
}
var moved = (of, c4, right, down) => held(of, c4.x + right, c4.y + down, c4.side);
function sized(of, c4, side, at = [0.5, 0.5]) {
  const to = held(of, c4.x, c4.y, side).side;
  return held(of, c4.x + at[0] * (c4.side - to), c4.y + at[1] * (c4.side - to), to);
}
function zoomOf(of, c4) {
  const whole7 = Math.log(largest(of) / smallest(of));
  return whole7 > 0 ? Math.log(largest(of) / c4.side) / whole7 : 0;
}
var sideOf = (of, zoom) => largest(of) / Math.pow(largest(of) / smallest(of), zoom);
function whole2(of, c4) {
  const side = Math.max(1, Math.min(largest(of), Math.round(c4.side)));
  const inside = (at, room) => Math.min(Math.max(0, Math.round(at)), room - side);
  return { x: inside(c4.x, of.width), y: inside(c4.y, of.height), side };
}

// src/avatar/words.ts
var t6 = catalog({
  en: {
    picture: "Picture",
    choose: "Choose a picture",
    change: "Change picture",
    remove: "Remove picture",
    hint: "JPEG, PNG, GIF or WebP. You can drop one here, too. Everybody who gets its address can see it.",
    drop: "Drop your picture here",
    cropTitle: "Your picture",
    area: "The part of the picture that is shown",
    zoom: "Size",
    keys: "Move the picture, and zoom it with two fingers, the wheel or the slider. Keys: arrows move, + and − zoom.",
    save: "Use this picture",
    cancel: "Cancel",
    other: "Choose another",
    broken: "This cannot be shown as a picture. Choose a JPEG, PNG, GIF or WebP that opens on your device.",
    saved: "Your picture is saved.",
    removeTitle: "Remove your picture?",
    removeText: "Your initials take its place. Its address shows nothing any more.",
    removed: "Your picture is removed."
  },
  de: {
    picture: "Bild",
    choose: "Bild wählen",
    change: "Bild ändern",
    remove: "Bild entfernen",
    hint: "JPEG, PNG, GIF oder WebP. Sie können es auch hierher ziehen. Wer seine Adresse bekommt, kann es sehen.",
    drop: "Bild hier ablegen",
    cropTitle: "Ihr Bild",
    area: "Der Teil des Bildes, der gezeigt wird",
    zoom: "Größe",
    keys: "Verschieben Sie das Bild, und vergrößern Sie es mit zwei Fingern, dem Mausrad oder dem Regler. Tasten: Pfeile verschieben, + und − vergrößern und verkleinern.",
    save: "Dieses Bild verwenden",
    cancel: "Abbrechen",
    other: "Anderes wählen",
    broken: "Das lässt sich nicht als Bild zeigen. Wählen Sie ein JPEG, PNG, GIF oder WebP, das sich auf Ihrem Gerät öffnen lässt.",
    saved: "Ihr Bild ist gespeichert.",
    removeTitle: "Bild entfernen?",
    removeText: "An seiner Stelle stehen dann Ihre Initialen. Unter seiner Adresse ist nichts mehr zu sehen.",
    removed: "Ihr Bild ist entfernt."
  }
});
var problems3 = catalog({
  en: {
    picture_unsupported: "This is no picture that can be used. Choose a JPEG, PNG, GIF or WebP.",
    picture_too_large: "This picture has too many pixels. Make it smaller first, or choose another.",
    picture_crop: "The square lies outside of the picture. Choose it again.",
    picture_damaged: "This picture is damaged. Choose another."
  },
  de: {
    picture_unsupported: "Das ist kein Bild, das sich verwenden lässt. Wählen Sie ein JPEG, PNG, GIF oder WebP.",
    picture_too_large: "Dieses Bild hat zu viele Pixel. Verkleinern Sie es erst, oder wählen Sie ein anderes.",
    picture_crop: "Der Ausschnitt liegt außerhalb des Bildes. Wählen Sie ihn noch einmal.",
    picture_damaged: "Dieses Bild ist beschädigt. Wählen Sie ein anderes."
  }
});

// src/avatar/crop-dialog.tsx
var squareOf = ({ x: x3, y: y5, side }) => ({ x: String(x3), y: String(y5), side: String(side) });
function CropDialog({ file: file3, onSaved, onOther, onClose }) {
  const end4 = useEnd();
  const [url, setUrl] = d2();
  const [of, setOf] = d2();
  const [crop, setCrop] = d2();
  const [broken2, setBroken] = d2(false);
  A2(() => {
    const mine2 = URL.createObjectURL(file3);
    setUrl(mine2);
    return () => URL.revokeObjectURL(mine2);
  }, [file3]);
  function loaded({ naturalWidth: width, naturalHeight: height }) {
    if (!width || !height) return setBroken(true);
    setOf({ width, height });
    setCrop(centred({ width, height }));
  }
  return /* @__PURE__ */ a4(Dialog, { title: t6("cropTitle"), onClose, class: "crop-dialog", children: broken2 ? /* @__PURE__ */ a4("div", { class: "crop-broken", children: [
    /* @__PURE__ */ a4("p", { role: "alert", children: t6("broken") }),
    /* @__PURE__ */ a4("div", { class: "form-actions", children: [
      /* @__PURE__ */ a4("button", { type: "button", class: "button primary", onClick: onOther, children: t6("other") }),
      /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: onClose, children: t6("cancel") })
    ] })
  ] }) : /* @__PURE__ */ a4(Form, { submit: t6("save"), onCancel: onClose, onSubmit: async () => {
    if (!of || !crop) return;
    const { avatar: avatar2 } = await put("/account/avatar", { query: squareOf(whole2(of, crop)), raw: file3, signal: end4 });
    onSaved(avatar2);
  }, children: /* @__PURE__ */ a4(Cropper, { url, of, crop, change: setCrop, onLoad: loaded, onError: () => setBroken(true) }) }) });
}
var between = (a5, b4) => Math.hypot(a5.x - b4.x, a5.y - b4.y);
function Cropper({ url, of, crop, change, onLoad, onError }) {
  const frame = T2(null);
  const image = T2(null);
  const fingers = T2(/* @__PURE__ */ new Map());
  F2(() => {
    if (!of || !crop) return;
    const { style } = image.current;
    style.width = `${100 * of.width / crop.side}%`;
    style.left = `${-100 * crop.x / crop.side}%`;
    style.top = `${-100 * crop.y / crop.side}%`;
  }, [of, crop]);
  const edit = (how3) => change((c4) => of && c4 ? how3(of, c4) : c4);
  const across = ({ x: x3, y: y5 }) => {
    const box = frame.current.getBoundingClientRect();
    return [(x3 - box.left) / box.width, (y5 - box.top) / box.height];
  };
  const drag = (right, down) => {
    const { width } = frame.current.getBoundingClientRect();
    edit((of2, c4) => moved(of2, c4, -right * c4.side / width, -down * c4.side / width));
  };
  function press(event) {
    if (event.button !== 0) return;
    frame.current.setPointerCapture(event.pointerId);
    fingers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }
  function move(event) {
    const before2 = fingers.current.get(event.pointerId);
    if (!before2) return;
    const now = { x: event.clientX, y: event.clientY };
    fingers.current.set(event.pointerId, now);
    const [other] = [...fingers.current].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    if (!other) return drag(now.x - before2.x, now.y - before2.y);
    const [was, is] = [between(before2, other), between(now, other)];
    const middle = across({ x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
    if (is > 0) edit((of2, c4) => sized(of2, c4, c4.side * was / is, middle));
    drag((now.x - before2.x) / 2, (now.y - before2.y) / 2);
  }
  const lift2 = (event) => fingers.current.delete(event.pointerId);
  function wheel(event) {
    event.preventDefault();
    const at = across({ x: event.clientX, y: event.clientY });
    edit((of2, c4) => sized(of2, c4, c4.side * Math.exp(Math.sign(event.deltaY) * Math.min(0.2, Math.abs(event.deltaY) / 500)), at));
  }
  function key3(event) {
    const step = event.shiftKey ? 0.1 : 0.02;
    const to = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const way = to[event.key];
    if (way) edit((of2, c4) => moved(of2, c4, way[0] * c4.side, way[1] * c4.side));
    else if (event.key === "+" || event.key === "=") edit((of2, c4) => sized(of2, c4, c4.side / 1.1));
    else if (event.key === "-") edit((of2, c4) => sized(of2, c4, c4.side * 1.1));
    else return;
    event.preventDefault();
  }
  return /* @__PURE__ */ a4("div", { class: "crop", children: [
    /* @__PURE__ */ a4(
      "div",
      {
        ref: frame,
        class: of ? "crop-frame" : "crop-frame crop-waits",
        role: "application",
        "data-first": true,
        tabIndex: 0,
        "aria-label": t6("area"),
        "aria-describedby": "crop-keys",
        onPointerDown: press,
        onPointerMove: move,
        onPointerUp: lift2,
        onPointerCancel: lift2,
        onWheel: wheel,
        onKeyDown: key3,
        children: [
          url && /* @__PURE__ */ a4("img", { ref: image, src: url, alt: "", draggable: false, onLoad: (event) => onLoad(event.currentTarget), onError }),
          !of && /* @__PURE__ */ a4("span", { class: "spinner", "aria-hidden": "true" })
        ]
      }
    ),
    /* @__PURE__ */ a4("label", { class: "crop-zoom", children: [
      /* @__PURE__ */ a4("span", { class: "hidden", children: t6("zoom") }),
      /* @__PURE__ */ a4(Icon, { name: "image" }),
      /* @__PURE__ */ a4(
        "input",
        {
          type: "range",
          min: "0",
          max: "1",
          step: "0.01",
          disabled: !of,
          value: of && crop ? zoomOf(of, crop) : 0,
          onInput: ({ currentTarget: { valueAsNumber: zoom } }) => edit((of2, c4) => sized(of2, c4, sideOf(of2, zoom)))
        }
      ),
      /* @__PURE__ */ a4(Icon, { name: "image", class: "crop-big" })
    ] }),
    /* @__PURE__ */ a4("p", { class: "hint", id: "crop-keys", children: t6("keys") })
  ] });
}

// src/avatar/picture.tsx
var kinds = "image/jpeg,image/png,image/gif,image/webp";
function Picture() {
  const account2 = me();
  const [wish, setWish] = d2();
  const field = T2(null);
  if (!account2) return null;
  const close = () => setWish(void 0);
  const now = (avatar2) => keeper().changed({ ...me(), avatar: avatar2 });
  return /* @__PURE__ */ a4("div", { class: "portrait", role: "group", "aria-label": t6("picture"), children: [
    /* @__PURE__ */ a4("div", { class: "portrait-face", children: /* @__PURE__ */ a4(Face, { account: account2, size: "large" }) }),
    /* @__PURE__ */ a4("div", { class: "portrait-text", children: [
      /* @__PURE__ */ a4("div", { class: "card-buttons", children: [
        /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => field.current.click(), children: [
          /* @__PURE__ */ a4(Icon, { name: "image" }),
          " ",
          account2.avatar ? t6("change") : t6("choose")
        ] }),
        account2.avatar && /* @__PURE__ */ a4("button", { type: "button", class: "button danger-text", onClick: () => setWish("remove"), children: t6("remove") })
      ] }),
      /* @__PURE__ */ a4("p", { class: "hint", children: t6("hint") })
    ] }),
    /* @__PURE__ */ a4("input", { ref: field, type: "file", accept: kinds, hidden: true, onChange: ({ currentTarget: input }) => {
      if (input.files[0]) setWish(input.files[0]);
      input.value = "";
    } }),
    /* @__PURE__ */ a4(DropZone, { label: t6("drop"), onDrop: ({ files }) => files[0] && setWish(files[0]) }),
    wish === "remove" ? /* @__PURE__ */ a4(Confirm, { title: t6("removeTitle"), action: t6("remove"), onClose: close, onConfirm: async () => {
      await del("/account/avatar");
      now(null);
      toast(t6("removed"));
    }, children: /* @__PURE__ */ a4("p", { children: t6("removeText") }) }) : wish && /* @__PURE__ */ a4(CropDialog, { file: wish, onOther: () => field.current.click(), onClose: close, onSaved: (avatar2) => {
      now(avatar2);
      close();
      toast(t6("saved"));
    } }, wish.name + wish.lastModified)
  ] });
}

// src/avatar/room.ts
var avatar = {
  profile: { Part: Picture, order: 1 },
  problems: problems3
};

// src/shell/meter.ts
var span = 5e3;
var Meter = class {
  #seen = [];
  // start forgets what was: the speed is measured from here.
  start(at, bytes2) {
    this.#seen = [{ at, bytes: bytes2 }];
  }
  // note remembers how many bytes had gone at a time; fewer than before is a new start.
  note(at, bytes2) {
    const last3 = this.#seen.at(-1);
    if (last3 && bytes2 < last3.bytes) this.#seen = [];
    this.#seen.push({ at, bytes: bytes2 });
    while (this.#seen.length > 2 && this.#seen[1].at <= at - span) this.#seen.shift();
  }
  // speed is in bytes per second; undefined until a second has been seen.
  speed(now) {
    const first = this.#seen[0];
    const last3 = this.#seen.at(-1);
    if (!first || !last3 || now - first.at < 1e3) return void 0;
    const from = this.#seen.findLast((s4) => s4.at <= now - span) ?? first;
    return (last3.bytes - from.bytes) * 1e3 / (now - from.at);
  }
  // left is in seconds; undefined when nothing moves.
  left(now, bytes2) {
    const speed = this.speed(now);
    return speed ? bytes2 / speed : void 0;
  }
};
function rounded(seconds) {
  if (seconds <= 55) return { amount: Math.max(5, Math.ceil(seconds / 5) * 5), unit: "second" };
  if (seconds <= 59.5 * 60) return { amount: Math.max(1, Math.round(seconds / 60)), unit: "minute" };
  return { amount: Math.max(1, Math.round(seconds / 3600)), unit: "hour" };
}

// src/shell/pace.ts
function percent(done, whole7) {
  return new Intl.NumberFormat(lang.value, { style: "percent" }).format(whole7 > 0 ? Math.floor(100 * done / whole7) / 100 : 0);
}
var perSecond = (speed) => t4("perSecond", { size: size(speed) });
function pace(of, left2) {
  const now = performance.now();
  const speed = of.speed(now);
  const seconds = of.left(now, left2);
  if (speed === void 0 || left2 <= 0) return [];
  if (seconds === void 0) return [t4("stalled")];
  const { amount, unit: unit2 } = rounded(seconds);
  const time = new Intl.NumberFormat(lang.value, { style: "unit", unit: unit2, unitDisplay: "short" }).format(amount);
  return [perSecond(speed), t4("timeLeft", { time })];
}

// src/drop/pick.ts
async function offeredFrom(list2) {
  if (!("items" in list2)) return chosen(list2);
  const entries2 = [];
  for (const item of list2.items) {
    if (item.kind !== "file") continue;
    entries2.push({
      entry: item.webkitGetAsEntry(),
      file: item.getAsFile(),
      handle: item.getAsFileSystemHandle?.().catch(() => null)
    });
  }
  if (entries2.length === 0) return chosen(list2.files);
  const found = [];
  for (const { entry: entry4, file: file3, handle } of entries2) {
    const kept4 = await handle ?? void 0;
    if (entry4?.isDirectory) found.push({ ...await folder(entry4), handle: kept4 });
    else if (file3) found.push({ name: file3.name, kind: "file", files: [{ path: file3.name, file: file3 }], handle: kept4 });
  }
  return found;
}
async function offeredBy(handle) {
  if (handle.kind === "file") {
    const file3 = await handle.getFile();
    return { name: handle.name, kind: "file", files: [{ path: handle.name, file: file3 }], handle };
  }
  const files = [];
  const dirs = [];
  const read7 = async (at, path3) => {
    let empty = true;
    for await (const child of at.values()) {
      empty = false;
      if (child.kind === "file") files.push({ path: path3 + child.name, file: await child.getFile() });
      else await read7(child, `${path3}${child.name}/`);
    }
    if (empty && path3) dirs.push(path3.slice(0, -1));
  };
  await read7(handle, "");
  return { name: handle.name, kind: "folder", files, dirs, handle };
}
function chosen(list2) {
  const found = [];
  const folders2 = /* @__PURE__ */ new Map();
  for (const file3 of list2) {
    const [top2, ...below2] = (file3.webkitRelativePath || file3.name).split("/");
    if (below2.length === 0) {
      found.push({ name: file3.name, kind: "file", files: [{ path: file3.name, file: file3 }] });
      continue;
    }
    let of = folders2.get(top2);
    if (!of) {
      of = { name: top2, kind: "folder", files: [] };
      folders2.set(top2, of);
      found.push(of);
    }
    of.files.push({ path: below2.join("/"), file: file3 });
  }
  return found;
}
async function folder(root) {
  const files = [];
  const dirs = [];
  const read7 = async (at, path3) => {
    const children = await childrenOf(at);
    if (children.length === 0 && path3) dirs.push(path3.slice(0, -1));
    for (const child of children) {
      if (child.isDirectory) await read7(child, `${path3}${child.name}/`);
      else files.push({ path: path3 + child.name, file: await new Promise((resolve, reject) => child.file(resolve, reject)) });
    }
  };
  await read7(root, "");
  return { name: root.name, kind: "folder", files, dirs };
}
async function childrenOf(at) {
  const reader = at.createReader();
  const all2 = [];
  for (; ; ) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all2;
    all2.push(...some);
  }
}
var cleanName = (typed2) => typed2.trim().toLowerCase().replace(/[\s_]+/g, "-");
var isName = (name) => name.length >= 3 && name.length <= 40 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name);
var isSecret = (secret) => /^\d{6}$/.test(secret) || /^v1\.[\w-]{21}[AQgw]$/.test(secret);
function parseLink(text2) {
  const typed2 = text2.trim();
  const link = /^(?:https?:\/\/[^/?#\s]+)?(?:\/[^?#\s]*)?\/d\/([^/?#\s]+)\/?(?:#(\S*))?$/i.exec(typed2);
  if (link) {
    const name2 = cleanName(decoded(link[1]));
    if (!isName(name2) || link[2] && !isSecret(link[2])) return void 0;
    return link[2] ? { name: name2, secret: link[2] } : { name: name2 };
  }
  const code = /^(.*?)[\s,;:]+(\d{3})[ -]?(\d{3})$/.exec(typed2);
  const name = cleanName(code ? code[1] : typed2);
  if (!isName(name)) return void 0;
  return code ? { name, secret: code[2] + code[3] } : { name };
}
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

// src/drop/port.ts
var workerAddress = () => document.querySelector('meta[name="drop-worker"]')?.content ?? "/assets/drop-worker.js";
var blank = { phase: "connecting", name: "", expiresAt: "", host: false, people: [], items: [], outgoing: [], incoming: [], missing: [] };
async function connect(how3) {
  const worker = new Worker(workerAddress(), { type: "module", name: "drop" });
  const state = y3("join" in how3 ? { ...blank, name: how3.join.name } : blank);
  const waiting3 = /* @__PURE__ */ new Map();
  let calls2 = 0;
  let over3 = false;
  function end4(err2) {
    over3 = true;
    worker.terminate();
    awake(worker, false);
    for (const { reject } of waiting3.values()) reject(err2);
    waiting3.clear();
  }
  worker.onmessage = ({ data }) => {
    if ("state" in data) {
      state.value = data.state;
      awake(worker, busy(data.state));
      return;
    }
    const asked3 = waiting3.get(data.call);
    waiting3.delete(data.call);
    if ("failed" in data) asked3?.reject(new Problem(data.failed));
    else asked3?.resolve(data.answer);
  };
  worker.onerror = (event) => {
    console.error("the drop worker: " + event.message);
    state.value = { ...state.value, phase: "closed", refusal: "offline" };
    end4(new Problem({ status: -1, code: "app_error" }));
  };
  function ask4(what, ...args) {
    if (over3) return Promise.reject(new Problem({ status: 0, code: "cancelled" }));
    return new Promise((resolve, reject) => {
      waiting3.set(++calls2, { resolve, reject });
      worker.postMessage({ call: calls2, do: what, args });
    });
  }
  const tell3 = (what, ...args) => void ask4(what, ...args).catch((err2) => asProblem(err2));
  if (!await ask4("start", how3, device(navigator.userAgent))) {
    end4(void 0);
    return void 0;
  }
  return {
    state,
    offer: (files) => ask4("offer", files),
    withdraw: (id) => tell3("withdraw", id),
    async again(id, files) {
      if (files) return ask4("again", id, files);
      const handle = await ask4("handle", id);
      if (!handle || await handle.requestPermission?.() !== "granted") return false;
      return ask4("again", id, await offeredBy(handle));
    },
    take: (id, to) => tell3("take", id, to),
    cancel: (id) => tell3("cancel", id),
    async save(id, to) {
      const given = await ask4("save", id, to);
      if (given) download(given.file, given.name);
      await ask4("saved", id);
    },
    newCode: () => tell3("newCode"),
    rename: (name) => ask4("rename", name),
    prolong: (until3) => ask4("prolong", until3.toISOString()),
    leave: () => ask4("leave"),
    async stop() {
      if (over3) return;
      await ask4("stop").catch(() => void 0);
      end4(new Problem({ status: 0, code: "cancelled" }));
    }
  };
}
var busy = ({ outgoing, incoming }) => outgoing.some((o5) => o5.state === "running") || incoming.some((i4) => i4.state === "running" || i4.state === "checking");
function download(file3, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file3);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}
var active = /* @__PURE__ */ new Set();
var lock;
function awake(who, yes) {
  if (yes === active.has(who)) return;
  if (yes) active.add(who);
  else active.delete(who);
  hold();
}
function hold() {
  if (!("wakeLock" in navigator)) return;
  if (active.size > 0 && !lock && document.visibilityState === "visible") {
    lock = navigator.wakeLock.request("screen").catch(() => void 0);
    const free = () => lock = void 0;
    void lock.then((held4) => held4 ? held4.addEventListener("release", free) : free());
  } else if (active.size === 0 && lock) {
    void lock.then((held4) => held4?.release());
    lock = void 0;
  }
}
globalThis.document?.addEventListener("visibilitychange", hold);
function device(agent) {
  const of = (kinds3) => kinds3.find(([sign2]) => sign2.test(agent))?.[1];
  const browser = of([[/Edg/, "Edge"], [/OPR\//, "Opera"], [/SamsungBrowser/, "Samsung Internet"], [/Firefox|FxiOS/, "Firefox"], [/Chrom|CriOS/, "Chrome"], [/Safari/, "Safari"]]);
  const system = of([[/Android/, "Android"], [/iPhone/, "iPhone"], [/iPad/, "iPad"], [/Windows/, "Windows"], [/CrOS/, "ChromeOS"], [/Mac OS/, "Mac"], [/Linux/, "Linux"]]);
  return [browser, system].filter(Boolean).join(", ") || "Browser";
}

// src/drop/drop.ts
function obstacle() {
  if (!globalThis.isSecureContext || !globalThis.crypto?.subtle) return "insecure";
  if (!globalThis.Worker || !globalThis.indexedDB || !navigator.storage?.getDirectory || !navigator.locks || !AbortSignal.timeout) return "old_browser";
  return void 0;
}
function openDrop() {
  return connect({ open: true }).then((drop2) => drop2);
}
function joinDrop(name, secret) {
  return connect({ join: { name, secret } }).then((drop2) => drop2);
}
function resumeDrop(want = {}) {
  return connect({ resume: want });
}

// src/drop/words.ts
var t7 = catalog({
  en: {
    place: "Send & receive",
    placeShort: "Send",
    lead: "Hand files from one device to another, end-to-end encrypted. Nobody needs an account.",
    send: "Send",
    sendTarget: "Drop files or folders here",
    sendHint: "They stay on this device until somebody asks for them.",
    chooseFiles: "Choose files",
    chooseFolder: "Choose a folder",
    dropHere: "Drop to send",
    opening: "Opening …",
    receive: "Receive",
    receiveHint: "Enter the name that the sender sees, or paste the link.",
    name: "Name or link",
    next: "Continue",
    showCode: "Show a code here",
    showCodeHint: "Or the other device comes to this one.",
    homeTitle: "Somebody sends you files?",
    homeSend: "Send files",
    nothingFound: "There was nothing in it that can be sent.",
    unreadable: "The browser could not read that. Choose the files instead.",
    safeLink: "How this is safe",
    joinTitle: "Receive files",
    joinLead: "Enter the code that the sender sees beside the name “{name}”.",
    code: "Six-digit code",
    join: "Connect",
    joining: "Connecting with “{name}” …",
    proving: "Proving the code to the sender’s device …",
    otherName: "Another name",
    wrongLink: "This link does not fit. A part may be missing, or it belongs to an earlier connection. Copy the whole link, or enter the code.",
    tooOften: "Too many tries from here. You can try again in {time}.",
    tooOftenOver: "You can try again now.",
    notFoundTitle: "There is no connection called “{name}”",
    notFoundText: "It may be closed already, or a letter is wrong. Check the name with the sender.",
    fullTitle: "No more devices fit in",
    fullText: "As many devices as allowed are connected. Try again when one has left.",
    closedTitle: "The connection was closed",
    closedText: "The sender closed it. What you have received stays yours.",
    closedHostTitle: "The connection is closed",
    closedHostText: "Name, code and link no longer work.",
    expiredTitle: "The time of this connection is over",
    expiredText: "To go on, open a new one.",
    goneTitle: "The sender is gone",
    goneText: "The sender’s page was closed, or its device has no network. When it is back, it has a new name and a new code.",
    goneHostTitle: "This connection has ended",
    goneHostText: "This device was away for too long. Open a new connection to go on.",
    replacedTitle: "It goes on in another tab",
    replacedText: "The same connection was opened again in this browser.",
    continueHere: "Continue here",
    offlineTitle: "The server cannot be reached",
    offlineText: "Check your network and try again.",
    tooOftenTitle: "Too many tries",
    again: "Try again",
    startOver: "To “Send & receive”",
    newConnection: "Open a new connection",
    elsewhereTitle: "You are connected already",
    elsewhereText: "This tab is connected with “{here}”. To go to “{there}”, leave that first.",
    back: "Back to “{name}”",
    leaveAndGo: "Leave and go to “{name}”",
    readyTitle: "Ready to send",
    openTitle: "Ready to receive",
    connectedTitle: { one: "Connected with {count} device", other: "Connected with {count} devices" },
    guestTitle: "Connected",
    readyText: "On the other device, open {site}, press “Receive”, and enter name and code. Or scan the picture.",
    reconnecting: "The network was lost. Reconnecting …",
    shareTitle: "Name and code",
    connectionName: "Name",
    qr: "QR code of the link",
    qrHint: "Scan with a phone",
    copyLink: "Copy link",
    shareLink: "Share link",
    linkHint: "The link holds the key. Who has it needs no code.",
    until: "Open until {time}",
    prolong: "Keep open longer",
    prolongTitle: "Keep this connection open longer",
    prolongFor: "From now on",
    hours: { one: "{count} hour", other: "{count} hours" },
    days: { one: "{count} day", other: "{count} days" },
    prolonged: "Open until {time}.",
    rename: "Rename",
    renameTitle: "Choose another name",
    renameHint: "Small letters, digits and hyphens. The code stays; links to the old name stop working.",
    renamed: "It is called “{name}” now.",
    newCode: "Make a new code",
    newCodeDone: "There is a new code. The old one no longer works.",
    tries: { one: "Somebody has entered {count} wrong code.", other: "Somebody has entered {count} wrong codes." },
    burntTitle: "This code was entered wrongly three times",
    burntText: "So that nobody can guess it, it no longer works. Make a new one, and give it only to the people you mean. The link still works.",
    close: "Close connection",
    closeAsk: "Close this connection?",
    closeAskText: "Name, code and link stop working, and the other devices are disconnected. What they have received stays with them.",
    closeAskFlow: "What is still on its way breaks off.",
    leave: "Leave",
    leaveAsk: "Leave this connection?",
    leaveAskText: "To come back you need the name and the code again.",
    leaveAskUnsaved: "What you have received and not yet saved is thrown away.",
    left: "You have left the connection.",
    people: "Who is here",
    nobody: "Nobody else yet. This page shows it when somebody comes.",
    you: "this device",
    hostTag: "opened it",
    away: "away just now",
    unnamed: "A device",
    yours: "Files you offer",
    yoursEmpty: "You can send files here too.",
    yoursEmptyHost: "Add files, and the others can receive them.",
    addFiles: "Add files",
    addFolder: "Add a folder",
    withdraw: "Stop offering {name}",
    withdrawShort: "Stop offering",
    withdrawn: "“{name}” is no longer offered.",
    waitingFor: "Nobody has asked for it yet.",
    verifiedBy: "Verified: complete on {devices}",
    outWaiting: "Waiting for {device}",
    outRunning: "to {device}",
    outFailed: "Not sent to {device}.",
    progressTo: "{name} to {device}",
    theirs: "Files for you",
    theirsEmptyTitle: "Nothing is offered yet",
    theirsEmptyText: "When somebody offers files, they appear here by themselves.",
    receiveOf: "Receive {name}",
    receiveAll: { one: "Receive {count} item", other: "Receive all {count}" },
    from: "from {device}",
    filesInside: { one: "{count} file", other: "{count} files" },
    progressOf: "Progress of {name}",
    state_waiting: "Waiting for the sender …",
    state_retrying: "The network was lost. It goes on by itself …",
    state_checking: "Checking whether all is there …",
    state_verified: "Verified: complete and unchanged",
    state_saved: "Saved",
    state_broken: "Not received.",
    ofWhole: "{done} of {size}",
    cancel: "Cancel",
    cancelOf: "Cancel {name}",
    retry: "Try again",
    retryOf: "Try again: {name}",
    save: "Save",
    saveOf: "Save {name}",
    saveAll: { one: "Save {count} item", other: "Save all {count}" },
    saveAgain: "Save again",
    saveAgainOf: "Save again: {name}",
    saveZip: "Save as zip",
    saveZipOf: "Save as zip: {name}",
    saveFolder: "Save into a folder",
    saveMore: "More ways to save {name}",
    groupFailed: "Did not arrive",
    groupRunning: "On the way",
    groupOpen: "Offered",
    groupVerified: "Arrived",
    groupSaved: { one: "{count} saved", other: "{count} saved" },
    why_changed: "It was changed on the sending device in the meantime.",
    why_unknown_file: "The sender no longer offers it.",
    why_storage_silent: "This browser’s storage does not answer. It is tried again.",
    why_busy: "The server has no room for it just now. Try again in a moment.",
    why_cancelled: "Cancelled.",
    why_sender_gone: "The sending device is gone.",
    why_tampered: "It was altered on the way. Nothing of it was kept.",
    why_unsafe_name: "Its name is not safe to save.",
    why_no_space: "There is not enough space on this device.",
    why_stalled: "Nothing moved for a minute.",
    why_offline: "The network was lost.",
    said_joined: "{device} is here.",
    said_left: "{device} has left.",
    said_offered: { one: "{count} new item is offered.", other: "{count} new items are offered." },
    said_received: "{name} has arrived, complete and unchanged.",
    said_broken: "{name} has not arrived.",
    said_sent: "{name} has arrived complete on {device}.",
    said_failed: "{name} was not sent to {device}.",
    guestText: "You are in “{name}” with {device}. Receive what is offered, or add files of your own.",
    actions: "More for this connection",
    codeShort: "Code",
    codeGone: "used up",
    insecure: "This needs a secure address (https). Open Coffer by its https address.",
    oldBrowser: "This browser is too old for it. Use a current one, or the command line: coffer send and coffer receive.",
    lostAsk: "Since the page was loaded again, the browser wants your permission to read it.",
    lostChoose: "Since the page was loaded again, the browser no longer has it. Choose the same once more.",
    allow: "Allow",
    chooseAgain: "Choose",
    otherFile: "That is not the same as “{name}”. Nothing was offered.",
    homeText: "Enter the name that the sender tells you, or paste the link. You need no account.",
    safeTitle: "How this is safe",
    safeLead: "The files are encrypted on the device that sends them, and opened on the device that receives them. In between there is only our server.",
    safeNot: "What the server cannot see",
    safeNot1: "what is in the files",
    safeNot2: "what they are called, and what lies in a folder",
    safeNot3: "the code, the key in the link, and every other key",
    safeSees: "What the server can see",
    safeSees1: "the name of the connection and how many devices are in it",
    safeSees2: "their network addresses, and when they come and leave",
    safeSees3: "how often something is asked for, and how many bytes pass",
    safeCode: "Why six digits are enough",
    safeCodeText: "Nobody can try codes in secret: each try needs the sender’s device to answer. After three wrong codes the code stops working, and the sender is told. The key in the link is too long to guess.",
    safeVerified: "What “Verified” means",
    safeVerifiedText: "The receiving device has checked every byte against what the sender sent, and the sender has confirmed it. What breaks off is never shown as whole.",
    safeTrust: "What this page cannot protect you from",
    safeTrust1: "This page comes from the server. A server that somebody has altered could send an altered page, which could read your files and codes.",
    safeTrust2: "The command line does not have that weakness: coffer send and coffer receive run on your device alone, and work together with this page.",
    safeTrust3: "Everybody who is in the connection can see what is offered. Give the code only to people you trust with it."
  },
  de: {
    place: "Senden & empfangen",
    placeShort: "Senden",
    lead: "Geben Sie Dateien von einem Gerät an ein anderes, durchgehend verschlüsselt. Niemand braucht dafür ein Konto.",
    send: "Senden",
    sendTarget: "Dateien oder Ordner hier ablegen",
    sendHint: "Sie bleiben auf diesem Gerät, bis jemand sie abruft.",
    chooseFiles: "Dateien auswählen",
    chooseFolder: "Ordner auswählen",
    dropHere: "Loslassen, um zu senden",
    opening: "Wird geöffnet …",
    receive: "Empfangen",
    receiveHint: "Geben Sie den Namen ein, den der Sender sieht, oder fügen Sie den Link ein.",
    name: "Name oder Link",
    next: "Weiter",
    showCode: "Hier einen Code anzeigen",
    showCodeHint: "Oder das andere Gerät kommt zu diesem.",
    homeTitle: "Jemand schickt Ihnen Dateien?",
    homeSend: "Dateien senden",
    nothingFound: "Darin war nichts, was sich senden lässt.",
    unreadable: "Der Browser konnte das nicht lesen. Wählen Sie die Dateien stattdessen aus.",
    safeLink: "Warum das sicher ist",
    joinTitle: "Dateien empfangen",
    joinLead: "Geben Sie den Code ein, den der Sender neben dem Namen „{name}“ sieht.",
    code: "Sechsstelliger Code",
    join: "Verbinden",
    joining: "Verbindung mit „{name}“ …",
    proving: "Der Code wird dem Gerät des Senders bewiesen …",
    otherName: "Anderer Name",
    wrongLink: "Dieser Link passt nicht. Vielleicht fehlt ein Teil, oder er gehört zu einer früheren Verbindung. Kopieren Sie den ganzen Link, oder geben Sie den Code ein.",
    tooOften: "Von hier gab es zu viele Versuche. In {time} können Sie es wieder versuchen.",
    tooOftenOver: "Sie können es jetzt wieder versuchen.",
    notFoundTitle: "Eine Verbindung „{name}“ gibt es nicht",
    notFoundText: "Vielleicht ist sie schon geschlossen, oder ein Buchstabe ist falsch. Prüfen Sie den Namen mit dem Sender.",
    fullTitle: "Es passen keine Geräte mehr hinein",
    fullText: "So viele Geräte wie erlaubt sind verbunden. Versuchen Sie es wieder, wenn eines gegangen ist.",
    closedTitle: "Die Verbindung wurde geschlossen",
    closedText: "Der Sender hat sie geschlossen. Was Sie empfangen haben, bleibt Ihnen.",
    closedHostTitle: "Die Verbindung ist geschlossen",
    closedHostText: "Name, Code und Link gelten nicht mehr.",
    expiredTitle: "Die Zeit dieser Verbindung ist abgelaufen",
    expiredText: "Öffnen Sie eine neue, um weiterzumachen.",
    goneTitle: "Der Sender ist nicht mehr da",
    goneText: "Die Seite des Senders wurde geschlossen, oder sein Gerät hat kein Netz. Wenn er wiederkommt, hat er einen neuen Namen und einen neuen Code.",
    goneHostTitle: "Diese Verbindung ist zu Ende",
    goneHostText: "Dieses Gerät war zu lange weg. Öffnen Sie eine neue Verbindung, um weiterzumachen.",
    replacedTitle: "Es geht in einem anderen Tab weiter",
    replacedText: "Dieselbe Verbindung wurde in diesem Browser noch einmal geöffnet.",
    continueHere: "Hier weitermachen",
    offlineTitle: "Der Server ist nicht erreichbar",
    offlineText: "Prüfen Sie Ihr Netz und versuchen Sie es noch einmal.",
    tooOftenTitle: "Zu viele Versuche",
    again: "Noch einmal versuchen",
    startOver: "Zu „Senden & empfangen“",
    newConnection: "Neue Verbindung öffnen",
    elsewhereTitle: "Sie sind schon verbunden",
    elsewhereText: "Dieser Tab ist mit „{here}“ verbunden. Um zu „{there}“ zu kommen, verlassen Sie das zuerst.",
    back: "Zurück zu „{name}“",
    leaveAndGo: "Verlassen und zu „{name}“",
    readyTitle: "Bereit zum Senden",
    openTitle: "Bereit zum Empfangen",
    connectedTitle: { one: "Mit {count} Gerät verbunden", other: "Mit {count} Geräten verbunden" },
    guestTitle: "Verbunden",
    readyText: "Öffnen Sie auf dem anderen Gerät {site}, drücken Sie „Empfangen“ und geben Sie Name und Code ein. Oder scannen Sie das Bild.",
    reconnecting: "Das Netz war weg. Verbindung wird wieder aufgenommen …",
    shareTitle: "Name und Code",
    connectionName: "Name",
    qr: "QR-Code des Links",
    qrHint: "Mit dem Handy scannen",
    copyLink: "Link kopieren",
    shareLink: "Link teilen",
    linkHint: "Der Link enthält den Schlüssel. Wer ihn hat, braucht keinen Code.",
    until: "Offen bis {time}",
    prolong: "Länger offen halten",
    prolongTitle: "Diese Verbindung länger offen halten",
    prolongFor: "Ab jetzt",
    hours: { one: "{count} Stunde", other: "{count} Stunden" },
    days: { one: "{count} Tag", other: "{count} Tage" },
    prolonged: "Offen bis {time}.",
    rename: "Umbenennen",
    renameTitle: "Anderen Namen wählen",
    renameHint: "Kleinbuchstaben, Ziffern und Bindestriche. Der Code bleibt; Links auf den alten Namen gelten nicht mehr.",
    renamed: "Der Name ist jetzt „{name}“.",
    newCode: "Neuen Code erzeugen",
    newCodeDone: "Es gibt einen neuen Code. Der alte gilt nicht mehr.",
    tries: { one: "Jemand hat {count} falschen Code eingegeben.", other: "Jemand hat {count} falsche Codes eingegeben." },
    burntTitle: "Dieser Code wurde dreimal falsch eingegeben",
    burntText: "Damit ihn niemand errät, gilt er nicht mehr. Erzeugen Sie einen neuen und geben Sie ihn nur den Menschen, die Sie meinen. Der Link gilt weiter.",
    close: "Verbindung schließen",
    closeAsk: "Diese Verbindung schließen?",
    closeAskText: "Name, Code und Link gelten dann nicht mehr, und die anderen Geräte werden getrennt. Was sie empfangen haben, bleibt bei ihnen.",
    closeAskFlow: "Was noch unterwegs ist, bricht ab.",
    leave: "Verlassen",
    leaveAsk: "Diese Verbindung verlassen?",
    leaveAskText: "Um zurückzukommen, brauchen Sie wieder Name und Code.",
    leaveAskUnsaved: "Was Sie empfangen und noch nicht gespeichert haben, wird verworfen.",
    left: "Sie haben die Verbindung verlassen.",
    people: "Wer da ist",
    nobody: "Noch niemand sonst. Diese Seite zeigt es, wenn jemand kommt.",
    you: "dieses Gerät",
    hostTag: "hat geöffnet",
    away: "gerade nicht da",
    unnamed: "Ein Gerät",
    yours: "Dateien, die Sie anbieten",
    yoursEmpty: "Auch Sie können hier Dateien senden.",
    yoursEmptyHost: "Fügen Sie Dateien hinzu, dann können die anderen sie empfangen.",
    addFiles: "Dateien hinzufügen",
    addFolder: "Ordner hinzufügen",
    withdraw: "{name} nicht mehr anbieten",
    withdrawShort: "Nicht mehr anbieten",
    withdrawn: "„{name}“ wird nicht mehr angeboten.",
    waitingFor: "Noch hat es niemand abgerufen.",
    verifiedBy: "Geprüft: vollständig auf {devices}",
    outWaiting: "Wartet auf {device}",
    outRunning: "an {device}",
    outFailed: "Nicht an {device} gesendet.",
    progressTo: "{name} an {device}",
    theirs: "Dateien für Sie",
    theirsEmptyTitle: "Noch wird nichts angeboten",
    theirsEmptyText: "Wenn jemand Dateien anbietet, erscheinen sie hier von selbst.",
    receiveOf: "{name} empfangen",
    receiveAll: { one: "{count} Eintrag empfangen", other: "Alle {count} empfangen" },
    from: "von {device}",
    filesInside: { one: "{count} Datei", other: "{count} Dateien" },
    progressOf: "Fortschritt von {name}",
    state_waiting: "Wartet auf den Sender …",
    state_retrying: "Das Netz war weg. Es geht von selbst weiter …",
    state_checking: "Es wird geprüft, ob alles da ist …",
    state_verified: "Geprüft: vollständig und unverändert",
    state_saved: "Gespeichert",
    state_broken: "Nicht empfangen.",
    ofWhole: "{done} von {size}",
    cancel: "Abbrechen",
    cancelOf: "{name} abbrechen",
    retry: "Noch einmal versuchen",
    retryOf: "Noch einmal versuchen: {name}",
    save: "Speichern",
    saveOf: "{name} speichern",
    saveAll: { one: "{count} Eintrag speichern", other: "Alle {count} speichern" },
    saveAgain: "Noch einmal speichern",
    saveAgainOf: "Noch einmal speichern: {name}",
    saveZip: "Als Zip speichern",
    saveZipOf: "Als Zip speichern: {name}",
    saveFolder: "In einen Ordner speichern",
    saveMore: "Andere Wege, {name} zu speichern",
    groupFailed: "Nicht angekommen",
    groupRunning: "Unterwegs",
    groupOpen: "Angeboten",
    groupVerified: "Angekommen",
    groupSaved: { one: "{count} gespeichert", other: "{count} gespeichert" },
    why_changed: "Auf dem sendenden Gerät wurde inzwischen etwas daran geändert.",
    why_unknown_file: "Der Sender bietet es nicht mehr an.",
    why_storage_silent: "Der Speicher dieses Browsers antwortet nicht. Es wird wieder versucht.",
    why_busy: "Der Server hat gerade keinen Platz dafür. Versuchen Sie es gleich noch einmal.",
    why_cancelled: "Abgebrochen.",
    why_sender_gone: "Das sendende Gerät ist nicht mehr da.",
    why_tampered: "Es wurde unterwegs verändert. Nichts davon wurde behalten.",
    why_unsafe_name: "Der Name lässt sich nicht sicher speichern.",
    why_no_space: "Auf diesem Gerät ist nicht genug Platz.",
    why_stalled: "Eine Minute lang bewegte sich nichts.",
    why_offline: "Das Netz war weg.",
    said_joined: "{device} ist da.",
    said_left: "{device} ist gegangen.",
    said_offered: { one: "{count} neuer Eintrag wird angeboten.", other: "{count} neue Einträge werden angeboten." },
    said_received: "{name} ist angekommen, vollständig und unverändert.",
    said_broken: "{name} ist nicht angekommen.",
    said_sent: "{name} ist vollständig auf {device} angekommen.",
    said_failed: "{name} wurde nicht an {device} gesendet.",
    guestText: "Sie sind in „{name}“ mit {device}. Empfangen Sie, was angeboten wird, oder fügen Sie eigene Dateien hinzu.",
    actions: "Mehr zu dieser Verbindung",
    codeShort: "Code",
    codeGone: "verbraucht",
    insecure: "Dafür braucht es eine sichere Adresse (https). Öffnen Sie Coffer unter seiner https-Adresse.",
    oldBrowser: "Dafür ist dieser Browser zu alt. Nehmen Sie einen aktuellen oder die Kommandozeile: coffer send und coffer receive.",
    lostAsk: "Seit dem Neuladen der Seite braucht der Browser Ihre Erlaubnis, es zu lesen.",
    lostChoose: "Seit dem Neuladen der Seite hat der Browser es nicht mehr. Wählen Sie dasselbe noch einmal aus.",
    allow: "Erlauben",
    chooseAgain: "Auswählen",
    otherFile: "Das ist nicht dasselbe wie „{name}“. Es wurde nichts angeboten.",
    homeText: "Geben Sie den Namen ein, den der Sender Ihnen nennt, oder fügen Sie den Link ein. Sie brauchen kein Konto.",
    safeTitle: "Warum das sicher ist",
    safeLead: "Die Dateien werden auf dem sendenden Gerät verschlüsselt und auf dem empfangenden geöffnet. Dazwischen liegt nur unser Server.",
    safeNot: "Was der Server nicht sehen kann",
    safeNot1: "was in den Dateien steht",
    safeNot2: "wie sie heißen und was in einem Ordner liegt",
    safeNot3: "den Code, den Schlüssel im Link und jeden anderen Schlüssel",
    safeSees: "Was der Server sehen kann",
    safeSees1: "den Namen der Verbindung und wie viele Geräte darin sind",
    safeSees2: "deren Netzadressen, und wann sie kommen und gehen",
    safeSees3: "wie oft etwas angefordert wird und wie viele Bytes durchgehen",
    safeCode: "Warum sechs Ziffern reichen",
    safeCodeText: "Niemand kann Codes im Stillen ausprobieren: Für jeden Versuch muss das Gerät des Senders antworten. Nach drei falschen Codes gilt der Code nicht mehr, und der Sender erfährt es. Der Schlüssel im Link ist zu lang zum Raten.",
    safeVerified: "Was „Geprüft“ bedeutet",
    safeVerifiedText: "Das empfangende Gerät hat jedes Byte mit dem verglichen, was der Sender gesendet hat, und der Sender hat es bestätigt. Was abbricht, sieht nie vollständig aus.",
    safeTrust: "Wovor diese Seite Sie nicht schützt",
    safeTrust1: "Diese Seite kommt vom Server. Ein Server, den jemand verändert hat, könnte eine veränderte Seite schicken, und die könnte Ihre Dateien und Codes lesen.",
    safeTrust2: "Die Kommandozeile hat diese Schwäche nicht: coffer send und coffer receive laufen nur auf Ihrem Gerät und arbeiten mit dieser Seite zusammen.",
    safeTrust3: "Alle in der Verbindung sehen, was angeboten wird. Geben Sie den Code nur Menschen, denen Sie das anvertrauen."
  }
});
var problems4 = catalog({
  en: {
    field_drop_name: "A name is small letters, digits and hyphens, such as “brave-otter”.",
    field_drop_code: "The code has six digits.",
    drop_wrong_code: "That code is not right. Ask the sender for it once more: after three wrong codes it stops working.",
    drop_burnt: "There were three wrong codes, so this code no longer works. Ask the sender for the new one.",
    drop_not_the_host: "The other side could not prove that it knows the code. Nothing was sent. Check name and code with the sender.",
    drop_full: "As many devices as allowed are connected. Try again when one has left.",
    drop_not_found: "There is no such connection, or it is closed.",
    file_not_found: "The sending device is not here just now.",
    invalid_drop_token: "This device is no longer part of the connection.",
    join_pending: "Another device of your network is entering a code just now. Try again in a moment.",
    name_taken: "Another connection has this name. Choose another one.",
    not_admitted: "The code has not been proved yet.",
    not_host: "Only the device that opened the connection can do this.",
    too_many_transfers: "As many files as allowed are on their way. Wait for one to arrive.",
    transfer_not_found: "This file is no longer on its way. Ask for it again.",
    transfer_taken: "This file is on its way already. Ask for it again.",
    upgrade_required: "Something between this browser and the server does not let the connection through. Try another network.",
    field_out_of_range: "This is too early or too late."
  },
  de: {
    field_drop_name: "Ein Name besteht aus Kleinbuchstaben, Ziffern und Bindestrichen, etwa „brave-otter“.",
    field_drop_code: "Der Code hat sechs Ziffern.",
    drop_wrong_code: "Der Code stimmt nicht. Fragen Sie den Sender noch einmal: Nach drei falschen Codes gilt er nicht mehr.",
    drop_burnt: "Dreimal wurde ein falscher Code eingegeben, deshalb gilt dieser Code nicht mehr. Fragen Sie den Sender nach dem neuen.",
    drop_not_the_host: "Die Gegenseite konnte nicht beweisen, dass sie den Code kennt. Es wurde nichts gesendet. Prüfen Sie Name und Code mit dem Sender.",
    drop_full: "So viele Geräte wie erlaubt sind verbunden. Versuchen Sie es wieder, wenn eines gegangen ist.",
    drop_not_found: "Diese Verbindung gibt es nicht, oder sie ist geschlossen.",
    file_not_found: "Das sendende Gerät ist gerade nicht da.",
    invalid_drop_token: "Dieses Gerät gehört nicht mehr zu der Verbindung.",
    join_pending: "Ein anderes Gerät in Ihrem Netz gibt gerade einen Code ein. Versuchen Sie es gleich noch einmal.",
    name_taken: "So heißt schon eine andere Verbindung. Wählen Sie einen anderen Namen.",
    not_admitted: "Der Code ist noch nicht bewiesen.",
    not_host: "Das kann nur das Gerät, das die Verbindung geöffnet hat.",
    too_many_transfers: "So viele Dateien wie erlaubt sind unterwegs. Warten Sie, bis eine angekommen ist.",
    transfer_not_found: "Diese Datei ist nicht mehr unterwegs. Rufen Sie sie noch einmal ab.",
    transfer_taken: "Diese Datei ist schon unterwegs. Rufen Sie sie noch einmal ab.",
    upgrade_required: "Etwas zwischen diesem Browser und dem Server lässt die Verbindung nicht durch. Versuchen Sie es in einem anderen Netz.",
    field_out_of_range: "Das ist zu früh oder zu spät."
  }
});

// src/drop/current.ts
var current2 = y3(void 0);
var opening = y3(false);
var names = /* @__PURE__ */ new Set();
function be(drop2) {
  names.clear();
  current2.value = drop2;
}
var isCalled = (name) => names.has(name);
var alive = () => current2.peek() !== void 0 && current2.peek().state.peek().phase !== "closed";
async function resume(want) {
  if (current2.peek()) return;
  const drop2 = await resumeDrop(want);
  if (drop2 && !current2.peek()) be(drop2);
}
function settled2(drop2, tell3) {
  return new Promise((resolve) => {
    const stop = x2(() => {
      const state = drop2.state.value;
      tell3?.(state.phase);
      if (state.phase !== "in" && state.phase !== "closed") return;
      resolve(state);
      queueMicrotask(() => stop());
    });
  });
}
async function send2(files) {
  if (opening.peek()) return;
  opening.value = true;
  try {
    const offered = await files?.catch((err2) => {
      console.error(err2);
      toast(t7("unreadable"), true);
    });
    if (files && !offered) return;
    if (offered?.length === 0) return toast(t7("nothingFound"), true);
    if (!alive()) {
      be(await openDrop());
      if ((await settled2(current2.peek())).phase === "closed") return;
    }
    if (offered) await current2.peek().offer(offered);
  } catch (err2) {
    toastProblem(err2);
  } finally {
    opening.value = false;
  }
}
var dropped = (transfer) => void send2(offeredFrom(transfer));
async function forget() {
  const drop2 = current2.peek();
  be(void 0);
  await drop2?.stop();
}
var flows = ({ outgoing, incoming }) => ({
  out: outgoing.filter((o5) => o5.state === "running"),
  in: incoming.filter((i4) => i4.state === "running" || i4.state === "retrying" || i4.state === "checking")
});
var flowing = O(() => {
  if (!current2.value) return false;
  const moving = flows(current2.value.state.value);
  return moving.out.length + moving.in.length > 0;
});
var share = O(() => {
  if (!current2.value) return void 0;
  const moving = flows(current2.value.state.value);
  const parts = [...moving.out.map((o5) => [o5.confirmed, o5.total]), ...moving.in.map((i4) => [i4.done, i4.total])];
  if (parts.length === 0) return void 0;
  const whole7 = parts.reduce((sum, [, total]) => sum + total, 0);
  return whole7 === 0 ? void 0 : percent(parts.reduce((sum, [done]) => sum + done, 0), whole7);
});
var titled = (title) => share.value === void 0 ? title : `${share.value} · ${title}`;
function startDrops() {
  addEventListener("beforeunload", (event) => {
    if (flowing.peek()) event.preventDefault();
  });
  x2(() => {
    const name = current2.value?.state.value.name;
    if (name) names.add(name);
  });
}

// src/drop/handed.ts
var handed;
function hand(to) {
  handed = to;
  go("/d/" + encodeURIComponent(to.name));
}
function take2(name) {
  const fragment = location.hash.slice(1);
  if (fragment) {
    history.replaceState(history.state, "", location.pathname + location.search);
    return fragment;
  }
  const given = handed?.name === name ? handed.secret : void 0;
  handed = void 0;
  return given;
}

// src/drop/name-form.tsx
function NameForm({ value, autoFocus, quiet: quiet2, hint = t7("receiveHint") }) {
  return /* @__PURE__ */ a4(Form, { submit: t7("next"), quiet: quiet2, onSubmit: async ({ name = "" }) => {
    const found = parseLink(name);
    if (!found) throw new Problem({ status: -1, code: "validation_failed", fields: [{ pointer: "/name", code: "drop_name" }] });
    hand(found);
  }, children: /* @__PURE__ */ a4("div", { onPaste: (event) => {
    if (!parseLink(event.clipboardData?.getData("text") ?? "")?.secret) return;
    const { form } = event.currentTarget.querySelector("input");
    setTimeout(() => form.requestSubmit());
  }, children: /* @__PURE__ */ a4(Field, { name: "name", label: t7("name"), hint, value, autoFocus, required: true, secret: true, autoComplete: "off", spellcheck: false, inputMode: "text", maxLength: 500 }) }) });
}

// src/drop/home.tsx
function HomeReceive() {
  return /* @__PURE__ */ a4("section", { class: "card drop-home", "aria-labelledby": "drop-home", children: [
    /* @__PURE__ */ a4("div", { children: [
      /* @__PURE__ */ a4("h2", { id: "drop-home", children: [
        /* @__PURE__ */ a4(Icon, { name: "swap" }),
        " ",
        t7("homeTitle")
      ] }),
      /* @__PURE__ */ a4("p", { class: "hint", children: t7("homeText") })
    ] }),
    /* @__PURE__ */ a4(NameForm, { quiet: true, hint: "" }),
    /* @__PURE__ */ a4("p", { class: "aside", children: /* @__PURE__ */ a4("a", { href: "/send", children: t7("homeSend") }) })
  ] });
}

// src/shell/code.tsx
function CodeForm({ label, hint, submit, onCode, again: again3, onCancel, autoFocus }) {
  const box = T2(null);
  const sent = T2("");
  const input = () => box.current.querySelector("input");
  function typed2() {
    const code = digits(input().value);
    if (/^\d{6}$/.test(code) && code !== sent.current) input().form.requestSubmit();
  }
  function paste(event) {
    const code = (event.clipboardData?.getData("text") ?? "").replace(/\D/g, "");
    if (code.length !== 6) return;
    event.preventDefault();
    input().value = code;
    typed2();
  }
  return /* @__PURE__ */ a4(Form, { submit, onCancel, onSubmit: async (v4) => {
    sent.current = digits(v4.code);
    try {
      await onCode(sent.current);
    } catch (err2) {
      setTimeout(() => box.current && typed2());
      throw err2;
    }
  }, children: [
    /* @__PURE__ */ a4("div", { ref: box, onInput: typed2, onPaste: paste, onFocusIn: () => input().select(), children: /* @__PURE__ */ a4(Code, { label, hint, autoFocus }) }),
    again3 && /* @__PURE__ */ a4(Another, { again: again3, onSent: () => {
      sent.current = "";
      input().value = "";
      input().focus();
    } })
  ] });
}
function Another({ again: again3, onSent }) {
  const [at, setAt] = d2(again3.at);
  const [wait, setWait] = useWait();
  const [done, setDone] = d2(false);
  const [busy3, setBusy] = d2(false);
  const [problem2, setProblem] = d2();
  A2(() => setAt(again3.at), [again3.at]);
  A2(() => {
    if (at) setWait(Math.max(0, Math.ceil((Date.parse(at) - serverNow()) / 1e3)));
  }, [at]);
  async function send4() {
    if (wait > 0 || busy3) return;
    setBusy(true);
    setDone(false);
    setProblem(void 0);
    try {
      setAt((await again3.send()).resend_at);
      setDone(true);
      onSent();
    } catch (err2) {
      const p5 = asProblem(err2);
      if (p5.retryAfter) setWait(p5.retryAfter);
      setProblem(p5.code === "code_expired" ? new Problem({ status: p5.status, code: "no_more_codes" }) : p5);
    } finally {
      setBusy(false);
    }
  }
  return /* @__PURE__ */ a4("div", { class: "another", children: [
    /* @__PURE__ */ a4("button", { type: "button", class: "link", "aria-disabled": wait > 0 || busy3, onClick: send4, children: wait > 0 ? t4("anotherWait", { time: duration(wait) }) : t4("another") }),
    /* @__PURE__ */ a4("p", { class: "hint", role: "status", children: done && /* @__PURE__ */ a4($, { children: [
      /* @__PURE__ */ a4(Icon, { name: "check" }),
      " ",
      t4("anotherSent")
    ] }) }),
    problem2 && problem2.code !== "cancelled" && /* @__PURE__ */ a4("p", { class: "error", role: "alert", children: [
      /* @__PURE__ */ a4(Icon, { name: "warning" }),
      " ",
      say(problem2)
    ] })
  ] });
}

// src/drop/over.tsx
function Over({ refusal, host, name, retryAfter = 0, again: again3 }) {
  const [wait, setWait] = useWait();
  A2(() => {
    setWait(retryAfter);
    focusMain();
  }, [refusal]);
  const { icon, title, text: text2, retry: retry2 } = told(refusal, host, name, wait);
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: icon }) }),
    /* @__PURE__ */ a4("h1", { children: title }),
    /* @__PURE__ */ a4("p", { children: text2 }),
    refusal === "not_found" && !host ? /* @__PURE__ */ a4(NameForm, { value: name }) : /* @__PURE__ */ a4("div", { class: "form-actions", children: [
      retry2 && /* @__PURE__ */ a4("button", { type: "button", class: "button primary", disabled: wait > 0, onClick: again3, children: retry2 }),
      host && !retry2 && /* @__PURE__ */ a4("button", { type: "button", class: "button primary", onClick: () => void forget().then(() => send2()), children: t7("newConnection") }),
      /* @__PURE__ */ a4("a", { class: retry2 || host ? "button" : "button primary", href: "/send", onClick: () => void forget(), children: t7("startOver") })
    ] })
  ] });
}
function told(refusal, host, name, wait) {
  const gone3 = refusal === "host_gone" || refusal === "not_found";
  if (gone3 && host) return { icon: "device", title: t7("goneHostTitle"), text: t7("goneHostText") };
  switch (refusal) {
    case "not_found":
      return { icon: "search", title: t7("notFoundTitle", { name }), text: t7("notFoundText") };
    case "host_gone":
      return { icon: "device", title: t7("goneTitle"), text: t7("goneText"), retry: t7("again") };
    case "full":
      return { icon: "user", title: t7("fullTitle"), text: t7("fullText"), retry: t7("again") };
    case "offline":
      return { icon: "warning", title: t7("offlineTitle"), text: t7("offlineText"), retry: t7("again") };
    case "too_often":
      return { icon: "warning", title: t7("tooOftenTitle"), text: wait > 0 ? t7("tooOften", { time: duration(wait) }) : t7("tooOftenOver"), retry: t7("again") };
    case "replaced":
      return { icon: "copy", title: t7("replacedTitle"), text: t7("replacedText"), retry: t7("continueHere") };
    case "expired":
      return { icon: "warning", title: t7("expiredTitle"), text: t7("expiredText") };
    default:
      return host ? { icon: "check", title: t7("closedHostTitle"), text: t7("closedHostText") } : { icon: "check", title: t7("closedTitle"), text: t7("closedText") };
  }
}

// src/drop/safe-page.tsx
function Text({ Heading: Heading2 }) {
  return /* @__PURE__ */ a4("div", { class: "drop-safe", children: [
    /* @__PURE__ */ a4("p", { class: "drop-safe-lead", children: t7("safeLead") }),
    /* @__PURE__ */ a4("div", { class: "drop-safe-pair", children: [
      /* @__PURE__ */ a4("section", { children: [
        /* @__PURE__ */ a4(Heading2, { children: t7("safeNot") }),
        /* @__PURE__ */ a4("ul", { children: [
          /* @__PURE__ */ a4("li", { children: t7("safeNot1") }),
          /* @__PURE__ */ a4("li", { children: t7("safeNot2") }),
          /* @__PURE__ */ a4("li", { children: t7("safeNot3") })
        ] })
      ] }),
      /* @__PURE__ */ a4("section", { children: [
        /* @__PURE__ */ a4(Heading2, { children: t7("safeSees") }),
        /* @__PURE__ */ a4("ul", { children: [
          /* @__PURE__ */ a4("li", { children: t7("safeSees1") }),
          /* @__PURE__ */ a4("li", { children: t7("safeSees2") }),
          /* @__PURE__ */ a4("li", { children: t7("safeSees3") })
        ] })
      ] })
    ] }),
    /* @__PURE__ */ a4("section", { children: [
      /* @__PURE__ */ a4(Heading2, { children: t7("safeTrust") }),
      /* @__PURE__ */ a4("p", { children: t7("safeTrust1") }),
      /* @__PURE__ */ a4("p", { children: t7("safeTrust2") }),
      /* @__PURE__ */ a4("p", { children: t7("safeTrust3") })
    ] }),
    /* @__PURE__ */ a4("section", { children: [
      /* @__PURE__ */ a4(Heading2, { children: t7("safeCode") }),
      /* @__PURE__ */ a4("p", { children: t7("safeCodeText") })
    ] }),
    /* @__PURE__ */ a4("section", { children: [
      /* @__PURE__ */ a4(Heading2, { children: t7("safeVerified") }),
      /* @__PURE__ */ a4("p", { children: t7("safeVerifiedText") })
    ] })
  ] });
}
function Safe() {
  useParent("/send", t7("place"));
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4("h1", { children: t7("safeTitle") }),
    /* @__PURE__ */ a4(Text, { Heading: "h2" }),
    /* @__PURE__ */ a4("p", { children: /* @__PURE__ */ a4("a", { class: "button", href: "/send", children: t7("startOver") }) })
  ] });
}
function SafeLink() {
  return /* @__PURE__ */ a4("button", { type: "button", class: "link drop-safe-link", onClick: () => void ask((close) => /* @__PURE__ */ a4(Dialog, { title: t7("safeTitle"), onClose: close, sheet: matchMedia("(max-width: 40rem)").matches, children: /* @__PURE__ */ a4(Text, { Heading: "h3" }) })), children: t7("safeLink") });
}

// src/drop/join.tsx
var helped = ["wrong_code", "burnt", "not_the_host", "too_often", "offline"];
var problemOf2 = ({ refusal, retryAfter = 0 }) => refusal === "too_often" ? new Problem({ status: 429, code: "rate_limited", retryAfter }) : new Problem({ status: refusal === "offline" ? 0 : -1, code: refusal === "offline" ? "offline" : "drop_" + refusal });
function Join({ name, secret }) {
  const end4 = useEnd();
  const whole7 = secret !== void 0 && isSecret(secret);
  const [byLink, setByLink] = d2(whole7);
  const [proving2, setProving] = d2(false);
  const [wrong, setWrong] = d2(secret !== void 0 && !whole7 ? t7("wrongLink") : "");
  const [over3, setOver] = d2();
  const running7 = T2(void 0);
  async function connect2(given) {
    const drop2 = await joinDrop(name, given);
    if (end4.aborted) return drop2.stop();
    running7.current = drop2;
    const last3 = await settled2(drop2, (phase) => setProving(phase === "proving"));
    running7.current = void 0;
    if (last3.phase !== "closed") return be(drop2);
    await drop2.stop();
    if (helped.includes(last3.refusal)) throw problemOf2(last3);
    setOver(last3.refusal ?? "closed");
  }
  async function follow2() {
    try {
      await connect2(secret);
    } catch (err2) {
      const problem2 = err2;
      setWrong(problem2.code === "drop_wrong_code" && secret.startsWith("v1.") ? t7("wrongLink") : say(problem2));
      setByLink(false);
    }
  }
  async function look2() {
    try {
      await get("/drops/{name}", { open: true, path: { name }, signal: end4 });
    } catch (err2) {
      if (!end4.aborted && err2 instanceof Problem && (err2.code === "drop_not_found" || err2.status === 422)) setOver("not_found");
    }
  }
  A2(() => {
    void (whole7 ? follow2() : look2());
    return () => void running7.current?.leave().then(() => running7.current?.stop());
  }, []);
  if (over3) {
    return /* @__PURE__ */ a4(Over, { refusal: over3, host: false, name, again: () => {
      setOver(void 0);
      setByLink(false);
      setWrong("");
    } });
  }
  if (byLink) {
    return /* @__PURE__ */ a4("div", { class: "card narrow centre", role: "status", children: [
      /* @__PURE__ */ a4("span", { class: "spinner drop-spinner", "aria-hidden": "true" }),
      /* @__PURE__ */ a4("h1", { children: t7("joinTitle") }),
      /* @__PURE__ */ a4("p", { children: proving2 ? t7("proving") : t7("joining", { name }) }),
      /* @__PURE__ */ a4("a", { class: "button", href: "/send", children: t7("cancel") })
    ] });
  }
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "download" }) }),
    /* @__PURE__ */ a4("h1", { children: t7("joinTitle") }),
    /* @__PURE__ */ a4("p", { children: t7("joinLead", { name }) }),
    wrong && /* @__PURE__ */ a4("div", { class: "notice bad", role: "alert", children: [
      /* @__PURE__ */ a4(Icon, { name: "warning" }),
      /* @__PURE__ */ a4("p", { children: wrong })
    ] }),
    /* @__PURE__ */ a4(CodeForm, { label: t7("code"), submit: t7("join"), autoFocus: true, onCode: async (code) => {
      setWrong("");
      if (!/^\d{6}$/.test(code)) throw new Problem({ status: -1, code: "validation_failed", fields: [{ pointer: "/code", code: "drop_code" }] });
      await connect2(code);
    } }),
    /* @__PURE__ */ a4("p", { class: "hidden", role: "status", children: proving2 && t7("proving") }),
    /* @__PURE__ */ a4("p", { class: "aside ways", children: [
      /* @__PURE__ */ a4("a", { href: "/send", children: t7("otherName") }),
      " ",
      /* @__PURE__ */ a4(SafeLink, {})
    ] })
  ] });
}

// src/drop/groups.ts
var me2 = (state) => state.people.find((p5) => p5.me);
var others = (state) => state.people.filter((p5) => !p5.me);
var groups = ["failed", "running", "verified", "open", "saved"];
var stage = ({ incoming }) => {
  if (!incoming) return "open";
  switch (incoming.state) {
    case "broken":
      return incoming.why === "cancelled" ? "open" : "failed";
    case "verified":
      return "verified";
    case "saved":
      return "saved";
    default:
      return "running";
  }
};
function coming(state) {
  const mine2 = me2(state)?.rid;
  const taken = new Map(state.incoming.map((i4) => [i4.item, i4]));
  const sorted = { failed: [], running: [], verified: [], open: [], saved: [] };
  for (const item of state.items) {
    if (item.owner === mine2) continue;
    const row = { item, incoming: taken.get(item.id) };
    sorted[stage(row)].push(row);
  }
  return sorted;
}
var rank = { failed: 0, running: 1, waiting: 2, verified: 3 };
function going(state) {
  const mine2 = me2(state)?.rid;
  return state.items.filter((item) => item.owner === mine2).map((item) => {
    const latest = /* @__PURE__ */ new Map();
    for (const o5 of state.outgoing) if (o5.item === item.id) latest.set(o5.to, o5);
    const all2 = [...latest.values()].sort((a5, b4) => rank[a5.state] - rank[b4.state]);
    return { item, to: all2.filter((o5) => o5.state !== "verified"), verified: all2.filter((o5) => o5.state === "verified") };
  });
}

// src/shell/cut.ts
var short = 18;
var before = 6;
var longest = 12;
function cut(name) {
  const letters = [...new Intl.Segmenter(void 0, { granularity: "grapheme" }).segment(name)].map((s4) => s4.segment);
  if (letters.length <= short) return [name, ""];
  const dot = letters.lastIndexOf(".");
  const extension = dot > 0 && letters.length - dot <= longest ? letters.length - dot : 0;
  const at = letters.length - extension - before;
  return [letters.slice(0, at).join(""), letters.slice(at).join("")];
}

// src/shell/name.tsx
function Name({ name, read: read7 }) {
  const [head, tail] = cut(name);
  if (!tail) return /* @__PURE__ */ a4("bdi", { class: "cut", title: name, children: /* @__PURE__ */ a4("span", { class: "cut-head", children: name }) });
  return /* @__PURE__ */ a4($, { children: [
    read7 && /* @__PURE__ */ a4("span", { class: "hidden", children: name }),
    /* @__PURE__ */ a4("bdi", { class: "cut", title: name, "aria-hidden": read7, children: [
      /* @__PURE__ */ a4("span", { class: "cut-head", children: head }),
      /* @__PURE__ */ a4("span", { class: "cut-tail", children: tail })
    ] })
  ] });
}

// src/drop/names.ts
var clean = (s4) => s4.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\uFFFD]/gu, "_");
var mostCost = 128 * 2 ** 20;

// src/drop/people.tsx
var called = (person) => person && clean(person.device) || t7("unnamed");
function People({ state }) {
  return /* @__PURE__ */ a4("section", { class: "card drop-people", "aria-labelledby": "drop-people", children: [
    /* @__PURE__ */ a4("h2", { id: "drop-people", children: t7("people") }),
    /* @__PURE__ */ a4("ul", { children: state.people.map((person) => /* @__PURE__ */ a4("li", { class: person.here ? void 0 : "away", children: [
      /* @__PURE__ */ a4(Icon, { name: "device" }),
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("p", { class: "drop-called", children: /* @__PURE__ */ a4(Name, { name: called(person), read: true }) }),
        /* @__PURE__ */ a4("p", { class: "hint", children: [person.me && t7("you"), person.host && t7("hostTag"), !person.here && !person.me && t7("away")].filter(Boolean).join(" · ") })
      ] })
    ] }, person.rid)) }),
    others(state).length === 0 && /* @__PURE__ */ a4("p", { class: "hint", children: t7("nobody") })
  ] });
}

// node_modules/qr/index.js
var MAX_OUTPUT_SIZE = 1024;
var MAX_COMPACT_OUTPUT_SIZE = MAX_OUTPUT_SIZE * 4;
var BYTES = /* @__PURE__ */ (() => {
  const res = [];
  for (let ver = 1; ver <= 40; ver++) {
    let bits = (16 * ver + 128) * ver + 64;
    if (ver >= 2) {
      const align = Math.floor(ver / 7) + 2;
      bits -= (25 * align - 10) * align - 55;
      if (ver >= 7)
        bits -= 36;
    }
    res.push(bits >>> 3);
  }
  return res;
})();
var ECC_LEVELS = ["low", "medium", "quartile", "high"];
var WORDS_PER_BLOCK = {
  low: [
    7,
    10,
    15,
    20,
    26,
    18,
    20,
    24,
    30,
    18,
    20,
    24,
    26,
    30,
    22,
    24,
    28,
    30,
    28,
    28,
    28,
    28,
    30,
    30,
    26,
    28,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30
  ],
  medium: [
    10,
    16,
    26,
    18,
    24,
    16,
    18,
    22,
    22,
    26,
    30,
    22,
    22,
    24,
    24,
    28,
    28,
    26,
    26,
    26,
    26,
    28,
    28,
    28,
    28,
    28,
    28,
    28,
    28,
    28,
    28,
    28,
    28,
    28,
    28,
    28,
    28,
    28,
    28,
    28
  ],
  quartile: [
    13,
    22,
    18,
    26,
    18,
    24,
    18,
    22,
    20,
    24,
    28,
    26,
    24,
    20,
    30,
    24,
    28,
    28,
    26,
    30,
    28,
    30,
    30,
    30,
    30,
    28,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30
  ],
  high: [
    17,
    28,
    22,
    16,
    22,
    28,
    26,
    26,
    24,
    28,
    24,
    28,
    22,
    24,
    24,
    30,
    28,
    28,
    26,
    28,
    30,
    24,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30,
    30
  ]
};
var ECC_BLOCKS = {
  low: [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25],
  medium: [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49],
  quartile: [1, 1, 2, 2, 4, 4, 6, 6, 8, 8, 8, 10, 12, 16, 12, 17, 16, 18, 21, 20, 23, 23, 25, 27, 29, 34, 34, 35, 38, 40, 43, 45, 48, 51, 53, 56, 59, 62, 65, 68],
  high: [1, 1, 2, 4, 4, 4, 5, 6, 8, 8, 11, 11, 16, 16, 18, 16, 19, 21, 25, 25, 25, 34, 30, 32, 35, 37, 40, 42, 45, 48, 51, 54, 57, 60, 63, 66, 70, 74, 77, 81]
};
var EC_CODE = { low: 1, medium: 0, quartile: 3, high: 2 };
var ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
function alignmentPatterns(ver) {
  ver = asVersion(ver);
  if (ver === 1)
    return [];
  const last3 = 21 + 4 * (ver - 1) - 7;
  const count2 = Math.ceil((last3 - 6) / 28);
  let interval = Math.floor((last3 - 6) / count2);
  if (interval % 2)
    interval += 1;
  else if ((last3 - 6) % count2 * 2 >= count2)
    interval += 2;
  const res = [6];
  for (let m5 = 1; m5 < count2; m5++)
    res.push(last3 - (count2 - m5) * interval);
  res.push(last3);
  return res;
}
function formatBits(ecc, mask) {
  const data = EC_CODE[ecc] << 3 | mask;
  let d5 = data;
  for (let i4 = 0; i4 < 10; i4++)
    d5 = d5 << 1 ^ (d5 >> 9) * 1335;
  return (data << 10 | d5) ^ 21522;
}
function versionBits(ver) {
  let d5 = ver;
  for (let i4 = 0; i4 < 12; i4++)
    d5 = d5 << 1 ^ (d5 >> 11) * 7973;
  return ver << 12 | d5;
}
var MODE_BITS = { numeric: 1, alphanumeric: 2, byte: 4 };
var LENGTH_BITS = {
  numeric: [10, 12, 14],
  alphanumeric: [9, 11, 13],
  byte: [8, 16, 16]
};
var GF256 = /* @__PURE__ */ (() => {
  const exp = new Uint8Array(510);
  const log2 = new Uint8Array(256);
  for (let i4 = 0, x3 = 1; i4 < 255; i4++) {
    exp[i4] = exp[i4 + 255] = x3;
    log2[x3] = i4;
    x3 <<= 1;
    if (x3 & 256)
      x3 ^= 285;
  }
  return { exp, log: log2 };
})();
function rsGenerator(eccWords) {
  const { exp: EXP, log: LOG } = GF256;
  const gen = new Uint8Array(eccWords);
  gen[eccWords - 1] = 1;
  for (let i4 = 0, root = 1; i4 < eccWords; i4++) {
    for (let j4 = 0; j4 < eccWords; j4++) {
      const c4 = gen[j4];
      gen[j4] = (c4 ? EXP[LOG[c4] + LOG[root]] : 0) ^ (j4 + 1 < eccWords ? gen[j4 + 1] : 0);
    }
    root = EXP[LOG[root] + 1];
  }
  return gen;
}
var RS_CACHE = [];
function rsCached(eccWords) {
  let cached = RS_CACHE[eccWords];
  if (cached !== void 0)
    return cached;
  const gen = rsGenerator(eccWords);
  const { exp: EXP, log: LOG } = GF256;
  const mul = new Uint8Array(256 * eccWords);
  for (let f5 = 1; f5 < 256; f5++) {
    const lf = LOG[f5];
    const off = f5 * eccWords;
    for (let j4 = 0; j4 < eccWords; j4++) {
      const c4 = gen[j4];
      if (c4)
        mul[off + j4] = EXP[LOG[c4] + lf];
    }
  }
  return RS_CACHE[eccWords] = { gen, mul };
}
function rsEcc(data, gen, mul) {
  const { exp: EXP, log: LOG } = GF256;
  const eccWords = gen.length;
  const res = new Uint8Array(eccWords);
  if (mul !== void 0) {
    const last3 = eccWords - 1;
    for (let i4 = 0; i4 < data.length; i4++) {
      const off = (data[i4] ^ res[0]) * eccWords;
      for (let j4 = 0; j4 < last3; j4++)
        res[j4] = res[j4 + 1] ^ mul[off + j4];
      res[last3] = mul[off + last3];
    }
    return res;
  }
  for (let i4 = 0; i4 < data.length; i4++) {
    const f5 = data[i4] ^ res[0];
    res.copyWithin(0, 1);
    res[eccWords - 1] = 0;
    if (f5) {
      for (let j4 = 0; j4 < eccWords; j4++)
        if (gen[j4])
          res[j4] ^= EXP[LOG[gen[j4]] + LOG[f5]];
    }
  }
  return res;
}
function capacity(ver, ecc) {
  const bytes2 = BYTES[ver - 1];
  const words2 = WORDS_PER_BLOCK[ecc][ver - 1];
  const numBlocks = ECC_BLOCKS[ecc][ver - 1];
  const blockLen = Math.floor(bytes2 / numBlocks) - words2;
  const shortBlocks = numBlocks - bytes2 % numBlocks;
  return { words: words2, numBlocks, shortBlocks, blockLen, capacity: (bytes2 - words2 * numBlocks) * 8 };
}
var err = (msg) => {
  throw new Error(msg);
};
function asVersion(ver) {
  if (typeof ver !== "number")
    throw new TypeError(`"ver" expected number, got type=${typeof ver}`);
  if (!Number.isSafeInteger(ver))
    throw new RangeError(`"ver" expected safe integer, got ${ver}`);
  if (ver < 1 || ver > 40)
    throw new RangeError(`Invalid version=${ver}. Expected number [1..40]`);
  return ver;
}
function detectType(str) {
  let type = "numeric";
  for (let i4 = 0; i4 < str.length; i4++) {
    const v4 = ALNUM_VAL[str.charCodeAt(i4)];
    if (!(v4 >= 0))
      return "byte";
    if (v4 > 9)
      type = "alphanumeric";
  }
  return type;
}
var ALNUM_VAL = /* @__PURE__ */ (() => {
  const t20 = new Int8Array(128).fill(-1);
  for (let i4 = 0; i4 < ALPHANUMERIC.length; i4++)
    t20[ALPHANUMERIC.charCodeAt(i4)] = i4;
  return t20;
})();
function encodeData(ver, ecc, text2, type, utf82) {
  const cap = capacity(ver, ecc);
  const lengthBits = LENGTH_BITS[type][Math.floor((ver + 7) / 17)];
  const dataLen = type === "byte" ? utf82.length : text2.length;
  if (dataLen >= 1 << lengthBits)
    err("Capacity overflow");
  const bytes2 = new Uint8Array(cap.capacity >>> 3);
  let acc = 0;
  let accBits = 0;
  let bytePos = 0;
  const push = (value, len2) => {
    acc = acc << len2 | value;
    for (accBits += len2; accBits >= 8; )
      bytes2[bytePos++] = acc >>> (accBits -= 8) & 255;
  };
  push(MODE_BITS[type], 4);
  push(dataLen, lengthBits);
  if (type === "numeric") {
    for (let i4 = 0; i4 < dataLen; i4 += 3) {
      const n3 = Math.min(3, dataLen - i4);
      push(Number(text2.slice(i4, i4 + n3)), [0, 4, 7, 10][n3]);
    }
  } else if (type === "alphanumeric") {
    for (let i4 = 0; i4 + 1 < dataLen; i4 += 2)
      push(ALNUM_VAL[text2.charCodeAt(i4)] * 45 + ALNUM_VAL[text2.charCodeAt(i4 + 1)], 11);
    if (dataLen & 1)
      push(ALNUM_VAL[text2.charCodeAt(dataLen - 1)], 6);
  } else {
    for (let i4 = 0; i4 < utf82.length; i4++)
      push(utf82[i4], 8);
  }
  let bitPos = bytePos * 8 + accBits;
  if (bitPos > cap.capacity)
    err("Capacity overflow");
  if (accBits)
    bytes2[bytePos] = acc << 8 - accBits & 255;
  bitPos += Math.min(4, cap.capacity - bitPos);
  if (bitPos & 7)
    bitPos += 8 - (bitPos & 7);
  for (let i4 = bitPos >>> 3, pad = 0; i4 < bytes2.length; i4++, pad ^= 1)
    bytes2[i4] = pad ? 17 : 236;
  const { words: words2, numBlocks, shortBlocks, blockLen } = cap;
  const rs = rsCached(words2);
  const blocks = [];
  const eccs = [];
  for (let i4 = 0, pos = 0; i4 < numBlocks; i4++) {
    const len2 = blockLen + (i4 < shortBlocks ? 0 : 1);
    blocks.push(bytes2.subarray(pos, pos + len2));
    eccs.push(rsEcc(blocks[i4], rs.gen, rs.mul));
    pos += len2;
  }
  const res = new Uint8Array(bytes2.length + words2 * numBlocks);
  let p5 = 0;
  for (let i4 = 0; i4 <= blockLen; i4++) {
    for (const b4 of blocks)
      if (i4 < b4.length)
        res[p5++] = b4[i4];
  }
  for (let i4 = 0; i4 < words2; i4++)
    for (const e4 of eccs)
      res[p5++] = e4[i4];
  return res;
}
function maskBits(x3, y5) {
  const x22 = x3 % 2;
  const y22 = y5 % 2;
  const x32 = x3 % 3;
  const xy3 = x32 * (y5 % 3) % 3;
  const xy2 = x22 & y22;
  let bits = 0;
  if (x22 === y22)
    bits |= 1;
  if (y22 === 0)
    bits |= 2;
  if (x32 === 0)
    bits |= 4;
  if ((x3 + y5) % 3 === 0)
    bits |= 8;
  if ((Math.floor(y5 / 2) + Math.floor(x3 / 3)) % 2 === 0)
    bits |= 16;
  if (xy2 + xy3 === 0)
    bits |= 32;
  if ((xy2 + xy3) % 2 === 0)
    bits |= 64;
  if (((x22 ^ y22) + xy3) % 2 === 0)
    bits |= 128;
  return bits;
}
var POP16 = /* @__PURE__ */ (() => {
  const t20 = new Uint8Array(1 << 16);
  for (let i4 = 1; i4 < t20.length; i4++)
    t20[i4] = t20[i4 >>> 1] + (i4 & 1);
  return t20;
})();
var popcnt = (n3) => POP16[n3 & 65535] + POP16[n3 >>> 16];
var TRANSPOSE_TMP = /* @__PURE__ */ new Uint32Array(32);
function transpose32(a5) {
  const masks = [1431655765, 858993459, 252645135, 16711935, 65535];
  for (let stage2 = 0; stage2 < 5; stage2++) {
    const m5 = masks[stage2] >>> 0;
    const s4 = 1 << stage2;
    for (let i4 = 0; i4 < 32; i4 += s4 << 1) {
      for (let k4 = 0; k4 < s4; k4++) {
        const x3 = a5[i4 + k4] >>> 0;
        const y5 = a5[i4 + k4 + s4] >>> 0;
        const t20 = (x3 >>> s4 ^ y5) & m5;
        a5[i4 + k4] = (x3 ^ t20 << s4) >>> 0;
        a5[i4 + k4 + s4] = (y5 ^ t20) >>> 0;
      }
    }
  }
}
var mat = (size2) => {
  const words2 = size2 + 31 >>> 5;
  return { size: size2, words: words2, v: new Uint32Array(words2 * size2) };
};
var matGet = (m5, x3, y5) => m5.v[y5 * m5.words + (x3 >>> 5)] >>> (x3 & 31) & 1;
var matSet = (m5, x3, y5, bit) => {
  const i4 = y5 * m5.words + (x3 >>> 5);
  const b4 = 1 << (x3 & 31);
  m5.v[i4] = bit ? m5.v[i4] | b4 : m5.v[i4] & ~b4;
};
function transposeMat(src, dst) {
  const { size: size2, words: words2, v: v4 } = src;
  const tmp = TRANSPOSE_TMP;
  for (let by = 0; by < size2; by += 32) {
    for (let bx = 0; bx < words2; bx++) {
      const rows = Math.min(32, size2 - by);
      for (let r4 = 0; r4 < rows; r4++)
        tmp[r4] = v4[(by + r4) * words2 + bx];
      tmp.fill(0, rows);
      transpose32(tmp);
      for (let i4 = 0, dstY = bx * 32; i4 < 32 && dstY < size2; i4++, dstY++) {
        dst.v[dstY * dst.words + (by >>> 5)] = tmp[i4];
      }
    }
  }
}
function runsPenaltyVertical(m5) {
  const { size: size2, words: words2, v: v4 } = m5;
  const tail = size2 & 31 ? (1 << (size2 & 31)) - 1 >>> 0 : 4294967295;
  let score = 0;
  for (let wi = 0; wi < words2; wi++) {
    const valid = wi === words2 - 1 ? tail : 4294967295;
    let r32 = v4[3 * words2 + wi];
    let dPrev = 4294967295;
    let d0 = v4[wi] ^ v4[words2 + wi];
    let d1 = v4[words2 + wi] ^ v4[2 * words2 + wi];
    let d22 = v4[2 * words2 + wi] ^ r32;
    for (let y5 = 0, idx = 4 * words2 + wi; y5 <= size2 - 5; y5++, idx += words2) {
      const r4 = v4[idx];
      const d32 = r32 ^ r4;
      const w5 = ~(d0 | d1 | d22 | d32) & valid;
      if (w5)
        score += popcnt(w5 >>> 0) + 2 * popcnt((w5 & dPrev) >>> 0);
      dPrev = d0;
      d0 = d1;
      d1 = d22;
      d22 = d32;
      r32 = r4;
    }
  }
  return score;
}
function finderPenaltyVertical(m5) {
  const { size: size2, words: words2, v: v4 } = m5;
  const tail = size2 & 31 ? (1 << (size2 & 31)) - 1 >>> 0 : 4294967295;
  let count2 = 0;
  for (let wi = 0; wi < words2; wi++) {
    const valid = wi === words2 - 1 ? tail : 4294967295;
    for (let y5 = 0; y5 <= size2 - 11; y5++) {
      let i4 = y5 * words2 + wi;
      const r0 = v4[i4];
      const r1 = v4[i4 += words2];
      const r22 = v4[i4 += words2];
      const r32 = v4[i4 += words2];
      const r4 = v4[i4 += words2];
      const r5 = v4[i4 += words2];
      const r6 = v4[i4 += words2];
      const r7 = v4[i4 += words2];
      const r8 = v4[i4 += words2];
      const r9 = v4[i4 += words2];
      const r10 = v4[i4 + words2];
      const m0 = valid & r0 & ~r1 & r22 & r32 & r4 & ~r5 & r6 & ~(r7 | r8 | r9 | r10);
      const m1 = valid & ~(r0 | r1 | r22 | r32) & r4 & ~r5 & r6 & r7 & r8 & ~r9 & r10;
      count2 += popcnt(m0 >>> 0) + popcnt(m1 >>> 0);
    }
  }
  return count2;
}
function penaltyScore(m5, t20, limit = Infinity) {
  const { size: size2, words: words2, v: v4 } = m5;
  const adjacent = runsPenaltyVertical(m5) + runsPenaltyVertical(t20);
  if (adjacent >= limit)
    return adjacent;
  const tail2 = (1 << size2 - 32 * (words2 - 1) - 1) - 1 >>> 0;
  let boxes = 0;
  let dark2 = 0;
  for (let y5 = 0; y5 < size2; y5++) {
    for (let wi = 0; wi < words2; wi++) {
      const a0 = v4[y5 * words2 + wi];
      dark2 += popcnt(a0 >>> 0);
      if (y5 === size2 - 1)
        continue;
      const a1 = v4[(y5 + 1) * words2 + wi];
      const n0 = wi + 1 < words2 ? v4[y5 * words2 + wi + 1] : 0;
      const n1 = wi + 1 < words2 ? v4[(y5 + 1) * words2 + wi + 1] : 0;
      const eqV = ~(a0 ^ a1);
      const eqH0 = ~(a0 ^ (a0 >>> 1 | n0 << 31));
      const eqH1 = ~(a1 ^ (a1 >>> 1 | n1 << 31));
      let w5 = eqV & eqH0 & eqH1;
      if (wi === words2 - 1)
        w5 &= tail2;
      boxes += popcnt(w5 >>> 0);
    }
  }
  const total = size2 * size2;
  const darkSteps = Math.ceil(Math.max(0, Math.abs(dark2 * 100 - total * 50) - total * 5) / (total * 5));
  const partial = adjacent + 3 * boxes + 10 * darkSteps;
  if (partial >= limit)
    return partial;
  return partial + 40 * (finderPenaltyVertical(m5) + finderPenaltyVertical(t20));
}
function drawInfo(m5, ver, ecc, mask) {
  const size2 = m5.size;
  const bits = formatBits(ecc, mask);
  for (let i4 = 0; i4 < 15; i4++) {
    const bit = bits >> i4 & 1;
    if (i4 < 6)
      matSet(m5, 8, i4, bit);
    else if (i4 < 8)
      matSet(m5, 8, i4 + 1, bit);
    else if (i4 === 8)
      matSet(m5, 7, 8, bit);
    else
      matSet(m5, 14 - i4, 8, bit);
    if (i4 < 8)
      matSet(m5, size2 - 1 - i4, 8, bit);
    else
      matSet(m5, 8, size2 - 15 + i4, bit);
  }
  matSet(m5, 8, size2 - 8, 1);
  if (ver >= 7) {
    const vbits = versionBits(ver);
    for (let i4 = 0; i4 < 18; i4++) {
      const bit = vbits >> i4 & 1;
      const x3 = size2 - 11 + i4 % 3;
      const y5 = i4 / 3 | 0;
      matSet(m5, x3, y5, bit);
      matSet(m5, y5, x3, bit);
    }
  }
}
var symCache;
function buildSymCache(ver) {
  const size2 = 21 + 4 * (ver - 1);
  const m5 = mat(size2);
  const fun = new Uint8Array(size2 * size2);
  const setF = (x3, y5, bit) => {
    matSet(m5, x3, y5, bit);
    fun[y5 * size2 + x3] = 1;
  };
  for (const [fx, fy] of [
    [0, 0],
    [size2 - 7, 0],
    [0, size2 - 7]
  ]) {
    for (let dy = -1; dy < 8; dy++) {
      for (let dx = -1; dx < 8; dx++) {
        const x3 = fx + dx;
        const y5 = fy + dy;
        if (x3 < 0 || y5 < 0 || x3 >= size2 || y5 >= size2)
          continue;
        const on = dx >= 0 && dx < 7 && dy >= 0 && dy < 7 && (dx === 0 || dx === 6 || dy === 0 || dy === 6 || dx > 1 && dx < 5 && dy > 1 && dy < 5);
        setF(x3, y5, on ? 1 : 0);
      }
    }
  }
  const align = alignmentPatterns(ver);
  for (const ay of align) {
    for (const ax of align) {
      if (fun[ay * size2 + ax])
        continue;
      for (let dy = -2; dy <= 2; dy++) {
        for (let dx = -2; dx <= 2; dx++) {
          const on = Math.max(Math.abs(dx), Math.abs(dy)) !== 1;
          setF(ax + dx, ay + dy, on ? 1 : 0);
        }
      }
    }
  }
  for (let i4 = 0; i4 < size2; i4++) {
    if (!fun[6 * size2 + i4])
      setF(i4, 6, i4 % 2 === 0 ? 1 : 0);
    if (!fun[i4 * size2 + 6])
      setF(6, i4, i4 % 2 === 0 ? 1 : 0);
  }
  for (let i4 = 0; i4 < 9; i4++) {
    if (i4 !== 6) {
      setF(8, i4, 0);
      setF(i4, 8, 0);
    }
    if (i4 < 8) {
      setF(size2 - 1 - i4, 8, 0);
      setF(8, size2 - 1 - i4, 0);
    }
  }
  if (ver >= 7) {
    for (let i4 = 0; i4 < 18; i4++) {
      const x3 = size2 - 11 + i4 % 3;
      const y5 = i4 / 3 | 0;
      setF(x3, y5, 0);
      setF(y5, x3, 0);
    }
  }
  const planes = [];
  for (let i4 = 0; i4 < 8; i4++)
    planes.push(mat(size2));
  const posBuf = new Uint16Array(size2 * size2);
  let n3 = 0;
  for (let xOffset = size2 - 1, dir = -1, y5 = size2 - 1; xOffset > 0; xOffset -= 2, dir = -dir) {
    if (xOffset === 6)
      xOffset = 5;
    for (; ; y5 += dir) {
      for (let j4 = 0; j4 < 2; j4++) {
        const x3 = xOffset - j4;
        if (fun[y5 * size2 + x3])
          continue;
        const wi = y5 * m5.words + (x3 >>> 5);
        posBuf[n3++] = wi << 5 | x3 & 31;
        for (let p5 = 0, mb = maskBits(x3, y5); mb; p5++, mb >>= 1) {
          if (mb & 1)
            planes[p5].v[wi] |= 1 << (x3 & 31);
        }
      }
      if (y5 + dir < 0 || y5 + dir >= size2)
        break;
    }
  }
  const planesT = planes.map((p5) => {
    const t20 = mat(size2);
    transposeMat(p5, t20);
    return t20.v;
  });
  return {
    ver,
    tpl: m5.v,
    pos: posBuf.slice(0, n3),
    planes: planes.map((p5) => p5.v),
    planesT,
    work: [mat(size2), mat(size2), mat(size2), mat(size2)]
  };
}
function drawSymbol(ver, ecc, data, maskIdx, test = false) {
  if (symCache === void 0 || symCache.ver !== ver)
    symCache = buildSymCache(ver);
  const { tpl, pos, planes, planesT, work: work4 } = symCache;
  const [m5, t20, cand, candT] = work4;
  m5.v.set(tpl);
  const need = Math.min(8 * data.length, pos.length);
  for (let i4 = 0; i4 < need; i4++) {
    if (data[i4 >>> 3] & 128 >>> (i4 & 7)) {
      const p5 = pos[i4];
      m5.v[p5 >>> 5] |= 1 << (p5 & 31);
    }
  }
  let mask = maskIdx;
  if (mask === void 0) {
    transposeMat(m5, t20);
    let bestScore = Infinity;
    for (let p5 = 0; p5 < 8; p5++) {
      const pv2 = planes[p5];
      const ptv = planesT[p5];
      for (let i4 = 0; i4 < cand.v.length; i4++) {
        cand.v[i4] = m5.v[i4] ^ pv2[i4];
        candT.v[i4] = t20.v[i4] ^ ptv[i4];
      }
      const score = penaltyScore(cand, candT, bestScore);
      if (score < bestScore) {
        bestScore = score;
        mask = p5;
      }
    }
  }
  const pv = planes[mask];
  for (let i4 = 0; i4 < m5.v.length; i4++)
    m5.v[i4] ^= pv[i4];
  if (!test)
    drawInfo(m5, ver, ecc, mask);
  return m5;
}
var asNum = (n3, title) => {
  if (typeof n3 !== "number")
    throw new TypeError(`"${title}" expected number, got type=${typeof n3}`);
  if (!Number.isSafeInteger(n3))
    throw new RangeError(`"${title}" expected safe integer, got ${n3}`);
  return n3;
};
var asString = (s4, title) => {
  if (typeof s4 !== "string")
    throw new TypeError(`"${title}" expected string, got type=${typeof s4}`);
  return s4;
};
function utf8Length(str) {
  let length = 0;
  for (let i4 = 0; i4 < str.length; i4++) {
    const c4 = str.charCodeAt(i4);
    if (c4 < 128)
      length++;
    else if (c4 < 2048)
      length += 2;
    else if (c4 < 55296 || c4 > 57343)
      length += 3;
    else if (c4 <= 56319 && i4 + 1 < str.length) {
      const next = str.charCodeAt(i4 + 1);
      if (next >= 56320 && next <= 57343) {
        length += 4;
        i4++;
      } else
        length += 3;
    } else
      length += 3;
  }
  return length;
}
function byteCapacity(ver, ecc) {
  const lengthBits = LENGTH_BITS.byte[Math.floor((ver + 7) / 17)];
  return Math.min((1 << lengthBits) - 1, Math.floor((capacity(ver, ecc).capacity - 4 - lengthBits) / 8));
}
function _isBytes(a5) {
  return a5 instanceof Uint8Array || ArrayBuffer.isView(a5) && a5.constructor.name === "Uint8Array" && "BYTES_PER_ELEMENT" in a5 && a5.BYTES_PER_ELEMENT === 1;
}
var dark = (r4, x3, y5) => r4.map[x3] >= 0 && r4.map[y5] >= 0 && matGet(r4.m, r4.map[x3], r4.map[y5]) === 1;
var CTRL = [10, 27];
var NL = /* @__PURE__ */ String.fromCharCode(CTRL[0]);
function renderRaw(r4) {
  const W = r4.W;
  const res = new Array(W);
  for (let y5 = 0; y5 < W; y5++) {
    const row = new Array(W);
    for (let x3 = 0; x3 < W; x3++)
      row[x3] = dark(r4, x3, y5);
    res[y5] = row;
  }
  return res;
}
function renderAscii(r4) {
  const W = r4.W;
  let out = "";
  for (let y5 = 0; y5 < W; y5 += 2) {
    for (let x3 = 0; x3 < W; x3++) {
      const first = dark(r4, x3, y5);
      const second = y5 + 1 >= W ? true : dark(r4, x3, y5 + 1);
      out += !first && !second ? "█" : !first && second ? "▀" : first && !second ? "▄" : " ";
    }
    out += NL;
  }
  return out;
}
function renderTerm(r4) {
  const W = r4.W;
  const esc = String.fromCharCode(CTRL[1]);
  const reset = esc + "[0m";
  let out = "";
  for (let y5 = 0; y5 < W; y5++) {
    for (let x3 = 0; x3 < W; x3++) {
      out += dark(r4, x3, y5) ? `${esc}[40m  ${reset}` : `${esc}[1;47m  ${reset}`;
    }
    out += NL;
  }
  return out;
}
function renderSvg(r4, optimize) {
  const W = r4.W;
  let out = `<svg viewBox="0 0 ${W} ${W}" xmlns="http://www.w3.org/2000/svg">`;
  let pathData = "";
  let prev;
  for (let y5 = 0; y5 < W; y5++) {
    for (let x3 = 0; x3 < W; x3++) {
      if (!dark(r4, x3, y5))
        continue;
      if (!optimize) {
        out += `<rect x="${x3}" y="${y5}" width="1" height="1" />`;
        continue;
      }
      let mv = `M${x3} ${y5}`;
      if (prev) {
        const rel = `m${x3 - prev.x} ${y5 - prev.y}`;
        if (rel.length <= mv.length)
          mv = rel;
      }
      pathData += `${mv}h1v1${x3 < 10 ? `H${x3}` : "h-1"}Z`;
      prev = { x: x3, y: y5 };
    }
  }
  if (optimize)
    out += `<path d="${pathData}"/>`;
  return out + "</svg>";
}
function renderGif(r4) {
  const W = r4.W;
  const pixels = W * W;
  const N2 = 126;
  const fullChunks = Math.floor(pixels / N2);
  const tail = pixels % N2;
  const out = new Uint8Array(408 + fullChunks * (N2 + 2) + 2 + tail + 4);
  let p5 = 0;
  const u16 = (v4) => {
    out[p5++] = v4 & 255;
    out[p5++] = v4 >>> 8;
  };
  for (const b4 of [71, 73, 70, 56, 55, 97])
    out[p5++] = b4;
  u16(W);
  u16(W);
  out[p5++] = 246;
  p5 += 2;
  out[p5++] = 255;
  out[p5++] = 255;
  out[p5++] = 255;
  p5 += 3 * 127;
  out[p5++] = 44;
  p5 += 4;
  u16(W);
  u16(W);
  out[p5++] = 0;
  out[p5++] = 7;
  const { m: m5, map } = r4;
  const row = new Uint8Array(W);
  let prevMy = -2;
  for (let y5 = 0, i4 = 0; y5 < W; y5++) {
    const my = map[y5];
    if (my !== prevMy) {
      prevMy = my;
      row.fill(0);
      if (my >= 0) {
        for (let x3 = 0; x3 < W; x3++)
          if (map[x3] >= 0)
            row[x3] = matGet(m5, map[x3], my);
      }
    }
    for (let x3 = 0; x3 < W; ) {
      if (i4 % N2 === 0) {
        const rem = pixels - i4;
        out[p5++] = (rem < N2 ? rem : N2) + 1;
        out[p5++] = 128;
      }
      const n3 = Math.min(N2 - i4 % N2, W - x3);
      out.set(row.subarray(x3, x3 + n3), p5);
      p5 += n3;
      x3 += n3;
      i4 += n3;
    }
  }
  if (tail === 0) {
    out[p5++] = 1;
    out[p5++] = 128;
  }
  out[p5++] = 1;
  out[p5++] = 129;
  out[p5++] = 0;
  out[p5++] = 59;
  return out;
}
function gifDataUrl(gif) {
  const g5 = gif;
  let b64;
  if (typeof g5.toBase64 === "function")
    b64 = g5.toBase64();
  else {
    let bin2 = "";
    for (let i4 = 0; i4 < g5.length; i4 += 8192)
      bin2 += String.fromCharCode(...g5.subarray(i4, i4 + 8192));
    b64 = btoa(bin2);
  }
  return "data:image/gif;base64," + b64;
}
function encodeQR(text2, output = "raw", opts = {}) {
  asString(text2, "text");
  asString(output, "output");
  if (typeof opts !== "object" || opts === null || Array.isArray(opts))
    throw new TypeError(`"opts" expected object, got type=${typeof opts}`);
  let ver = opts.version;
  if (ver !== void 0)
    ver = asVersion(ver);
  const ecc = opts.ecc !== void 0 ? opts.ecc : "medium";
  if (!ECC_LEVELS.includes(ecc))
    err(`invalid ecc=${ecc}`);
  const encoding = opts.encoding !== void 0 ? opts.encoding : detectType(text2);
  if (!LENGTH_BITS[encoding])
    err(`invalid encoding=${encoding}`);
  if (encoding !== "byte") {
    const alpha = encoding === "numeric" ? ALPHANUMERIC.slice(0, 10) : ALPHANUMERIC;
    for (const ch of text2) {
      if (!alpha.includes(ch))
        err(`Unknown letter: "${ch}". Allowed: ${alpha}`);
    }
  }
  if (opts.mask !== void 0 && (asNum(opts.mask, "opts.mask") < 0 || opts.mask > 7))
    err(`invalid mask=${opts.mask}`);
  const textEncoder = opts.textEncoder;
  if (encoding === "byte" && textEncoder === void 0) {
    const maxBytes = byteCapacity(ver === void 0 ? 40 : ver, ecc);
    if (text2.length > maxBytes || utf8Length(text2) > maxBytes)
      err("Capacity overflow");
  }
  const utf82 = encoding === "byte" ? (textEncoder !== void 0 ? textEncoder : (s4) => new TextEncoder().encode(s4))(text2) : void 0;
  if (utf82 !== void 0 && !_isBytes(utf82))
    throw new TypeError(`"opts.textEncoder" expected Uint8Array, got type=${typeof utf82}`);
  const dataLen = encoding === "byte" ? utf82.length : text2.length;
  const encodedBits = encoding === "numeric" ? Math.floor(dataLen / 3) * 10 + [0, 4, 7][dataLen % 3] : encoding === "alphanumeric" ? Math.floor(dataLen / 2) * 11 + dataLen % 2 * 6 : dataLen * 8;
  if (ver === void 0) {
    for (ver = 1; ver <= 40; ver++) {
      const lengthBits = LENGTH_BITS[encoding][Math.floor((ver + 7) / 17)];
      if (dataLen < 1 << lengthBits && 4 + lengthBits + encodedBits <= capacity(ver, ecc).capacity)
        break;
    }
    if (ver > 40)
      err("Capacity overflow");
  } else {
    const lengthBits = LENGTH_BITS[encoding][Math.floor((ver + 7) / 17)];
    if (dataLen >= 1 << lengthBits || 4 + lengthBits + encodedBits > capacity(ver, ecc).capacity)
      err("Capacity overflow");
  }
  const data = encodeData(ver, ecc, text2, encoding, utf82);
  const m5 = drawSymbol(ver, ecc, data, opts.mask);
  const border = opts.border === void 0 ? 2 : asNum(opts.border, "opts.border");
  if (border <= 0)
    throw new RangeError(`invalid border=${border}`);
  const scale = opts.scale === void 0 ? 1 : asNum(opts.scale, "opts.scale");
  if (scale <= 0 || scale > 1024)
    throw new RangeError(`invalid scale factor: ${scale}`);
  const W = (m5.size + 2 * border) * scale;
  const maxOutputSize = output === "ascii" || output === "gif" || output === "data-url" ? MAX_COMPACT_OUTPUT_SIZE : MAX_OUTPUT_SIZE;
  if (W > maxOutputSize)
    throw new RangeError(`invalid opts: output is ${W}x${W} (max ${maxOutputSize}), reduce border/scale`);
  const map = new Int32Array(W);
  for (let i4 = 0; i4 < W; i4++) {
    const f5 = Math.floor(i4 / scale) - border;
    map[i4] = f5 >= 0 && f5 < m5.size ? f5 : -1;
  }
  const r4 = { m: m5, W, map };
  if (output === "raw")
    return renderRaw(r4);
  if (output === "ascii")
    return renderAscii(r4);
  if (output === "term")
    return renderTerm(r4);
  if (output === "svg")
    return renderSvg(r4, opts.optimize === void 0 ? true : opts.optimize);
  if (output === "gif")
    return renderGif(r4);
  if (output === "data-url")
    return gifDataUrl(renderGif(r4));
  return err(`Unknown output: ${output}`);
}
var qr_default = encodeQR;

// src/shell/qr.tsx
var quiet = 2;
function Qr({ text: text2, label, class: drawn2 }) {
  const { side, path: path3 } = w2(() => draw(text2), [text2]);
  return /* @__PURE__ */ a4("svg", { class: drawn2, role: "img", "aria-label": label, viewBox: `0 0 ${side} ${side}`, "shape-rendering": "crispEdges", children: /* @__PURE__ */ a4("path", { d: path3 }) });
}
function draw(text2) {
  const rows = qr_default(text2, "raw", { ecc: "medium", border: quiet });
  let path3 = "";
  rows.forEach((row, y5) => {
    for (let x3 = 0; x3 < row.length; x3++) {
      if (!row[x3]) continue;
      const from = x3;
      while (row[x3 + 1]) x3++;
      path3 += `M${from} ${y5}h${x3 + 1 - from}v1H${from}z`;
    }
  });
  return { side: rows.length, path: path3 };
}

// src/drop/share.tsx
var allTries = 3;
function Share({ drop: drop2, state, onClose }) {
  const [wish, setWish] = d2();
  const { code = "", link = "", burnt, tries = allTries } = state;
  const close = () => setWish(void 0);
  const fresh2 = () => {
    drop2.newCode();
    toast(t7("newCodeDone"));
  };
  const items = [
    { icon: "pencil", label: t7("rename"), run: () => setWish("rename") },
    { icon: "key", label: t7("newCode"), run: fresh2 },
    { icon: "plus", label: t7("prolong"), run: () => setWish("prolong") },
    { icon: "close", label: t7("close"), run: onClose, danger: true }
  ];
  return /* @__PURE__ */ a4("section", { class: "card drop-share", "aria-labelledby": "drop-share", children: [
    /* @__PURE__ */ a4("div", { class: "drop-head", children: [
      /* @__PURE__ */ a4("h2", { id: "drop-share", children: t7("shareTitle") }),
      /* @__PURE__ */ a4(Menu, { label: t7("actions"), items, children: /* @__PURE__ */ a4(Icon, { name: "more" }) })
    ] }),
    /* @__PURE__ */ a4("div", { class: "drop-share-body", children: [
      link && /* @__PURE__ */ a4("figure", { class: "drop-scan", children: [
        /* @__PURE__ */ a4(Qr, { class: "drop-picture", text: link, label: t7("qr") }),
        /* @__PURE__ */ a4("figcaption", { class: "hint", children: t7("qrHint") })
      ] }),
      /* @__PURE__ */ a4("div", { class: "drop-ways", children: [
        /* @__PURE__ */ a4("dl", { class: "drop-words", children: [
          /* @__PURE__ */ a4("div", { children: [
            /* @__PURE__ */ a4("dt", { children: t7("connectionName") }),
            /* @__PURE__ */ a4("dd", { class: "drop-name", children: state.name })
          ] }),
          /* @__PURE__ */ a4("div", { children: [
            /* @__PURE__ */ a4("dt", { children: t7("codeShort") }),
            burnt || !code ? /* @__PURE__ */ a4("dd", { class: "drop-code burnt", children: t7("codeGone") }) : /* @__PURE__ */ a4("dd", { class: "drop-code", children: [
              /* @__PURE__ */ a4("span", { class: "hidden", children: [...code].join(" ") }),
              /* @__PURE__ */ a4("span", { "aria-hidden": "true", children: [
                code.slice(0, 3),
                " ",
                code.slice(3)
              ] })
            ] })
          ] })
        ] }),
        link && /* @__PURE__ */ a4("div", { class: "drop-link", children: [
          /* @__PURE__ */ a4("div", { class: "card-buttons", children: [
            /* @__PURE__ */ a4(Copy, { text: link, label: t7("copyLink") }),
            "share" in navigator && /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => void navigator.share({ url: link }).catch(() => void 0), children: [
              /* @__PURE__ */ a4(Icon, { name: "link" }),
              " ",
              t7("shareLink")
            ] })
          ] }),
          /* @__PURE__ */ a4("p", { class: "hint", children: [
            t7("linkHint"),
            " ",
            state.expiresAt && t7("until", { time: untilOf(state.expiresAt) })
          ] })
        ] })
      ] })
    ] }),
    burnt ? /* @__PURE__ */ a4("div", { class: "notice bad", role: "alert", children: [
      /* @__PURE__ */ a4(Icon, { name: "warning" }),
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("p", { children: /* @__PURE__ */ a4("strong", { children: t7("burntTitle") }) }),
        /* @__PURE__ */ a4("p", { children: t7("burntText") }),
        /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: fresh2, children: [
          /* @__PURE__ */ a4(Icon, { name: "key" }),
          " ",
          t7("newCode")
        ] })
      ] })
    ] }) : tries < allTries && /* @__PURE__ */ a4("p", { class: "notice", role: "status", children: [
      /* @__PURE__ */ a4(Icon, { name: "warning" }),
      " ",
      /* @__PURE__ */ a4("span", { children: t7("tries", { count: allTries - tries }) })
    ] }),
    wish === "rename" && /* @__PURE__ */ a4(Rename, { drop: drop2, name: state.name, onClose: close }),
    wish === "prolong" && /* @__PURE__ */ a4(Prolong, { drop: drop2, onClose: close })
  ] });
}
var untilOf = (at) => new Date(at).toDateString() === (/* @__PURE__ */ new Date()).toDateString() ? clock(at) : dateTime(at);
function Rename({ drop: drop2, name, onClose }) {
  return /* @__PURE__ */ a4(Dialog, { title: t7("renameTitle"), onClose, children: /* @__PURE__ */ a4(Form, { submit: t7("rename"), onCancel: onClose, onSubmit: async (values) => {
    const next = cleanName(values.name ?? "");
    if (!isName(next)) throw new Problem({ status: -1, code: "validation_failed", fields: [{ pointer: "/name", code: "drop_name" }] });
    if (next !== name) {
      await drop2.rename(next);
      toast(t7("renamed", { name: next }));
    }
    onClose();
  }, children: /* @__PURE__ */ a4(Field, { name: "name", label: t7("connectionName"), hint: t7("renameHint"), value: name, autoFocus: true, required: true, autoComplete: "off", spellcheck: false, maxLength: 40 }) }) });
}
var hour = 36e5;
function Prolong({ drop: drop2, onClose }) {
  return /* @__PURE__ */ a4(Dialog, { title: t7("prolongTitle"), onClose, children: /* @__PURE__ */ a4(Form, { submit: t7("prolong"), onCancel: onClose, onSubmit: async ({ span: span2 }) => {
    const until3 = new Date(Date.now() + Number(span2) * hour);
    await drop2.prolong(until3);
    toast(t7("prolonged", { time: dateTime(until3.toISOString()) }));
    onClose();
  }, children: /* @__PURE__ */ a4(Select, { name: "span", label: t7("prolongFor"), value: "24", options: { 12: t7("hours", { count: 12 }), 24: t7("days", { count: 1 }), 72: t7("days", { count: 3 }), 167: t7("days", { count: 7 }) } }) }) });
}

// src/drop/steady.ts
function useSteady(now) {
  const held4 = T2(void 0);
  const [, draw2] = d2(0);
  A2(() => {
    const release2 = () => setTimeout(() => {
      if (!held4.current) return;
      held4.current = void 0;
      draw2((n3) => n3 + 1);
    });
    const ends2 = ["pointerup", "pointercancel", "blur"];
    for (const end4 of ends2) addEventListener(end4, release2);
    return () => ends2.forEach((end4) => removeEventListener(end4, release2));
  }, []);
  return { shown: held4.current ? held4.current.at : now, hold: () => {
    held4.current ??= { at: now };
  } };
}

// src/drop/news.ts
function news(before2, now) {
  const said = [];
  const mine2 = me2(now)?.rid;
  const was = new Map(before2.people.map((p5) => [p5.rid, p5]));
  for (const p5 of now.people) {
    if (p5.me || !p5.here || !p5.device || was.get(p5.rid)?.here && was.get(p5.rid)?.device) continue;
    said.push(t7("said_joined", { device: called(p5) }));
  }
  const are = new Map(now.people.map((p5) => [p5.rid, p5]));
  for (const p5 of before2.people) if (!p5.me && p5.here && !are.get(p5.rid)?.here) said.push(t7("said_left", { device: called(p5) }));
  const known3 = new Set(before2.items.map((i4) => i4.id));
  const fresh2 = now.items.filter((i4) => i4.owner !== mine2 && !known3.has(i4.id)).length;
  if (fresh2 > 0) said.push(t7("said_offered", { count: fresh2 }));
  const items = new Map(now.items.map((i4) => [i4.id, clean(i4.name)]));
  const took2 = new Map(before2.incoming.map((i4) => [i4.item, i4.state]));
  for (const { item, state, why: why3 } of now.incoming) {
    if (took2.get(item) === state) continue;
    const name = items.get(item) ?? "";
    if (state === "verified") said.push(t7("said_received", { name }));
    if (state === "broken" && why3 !== "cancelled") said.push(t7("said_broken", { name }));
  }
  const gave = new Map(before2.outgoing.map((o5) => [o5.id, o5.state]));
  for (const { id, item, to, state } of now.outgoing) {
    if (gave.get(id) === state) continue;
    const values = { name: items.get(item) ?? "", device: called(are.get(to)) };
    if (state === "verified") said.push(t7("said_sent", values));
    if (state === "failed") said.push(t7("said_failed", values));
  }
  return said.join(" ");
}

// src/drop/choose.ts
var pickers = globalThis;
async function choose(folder3) {
  if (folder3 ? pickers.showDirectoryPicker : pickers.showOpenFilePicker) {
    const handles = await unlessClosed(async () => folder3 ? [await pickers.showDirectoryPicker()] : pickers.showOpenFilePicker({ multiple: true }));
    return handles && Promise.all(handles.map(offeredBy));
  }
  const field = document.createElement("input");
  field.type = "file";
  field.multiple = true;
  field.webkitdirectory = folder3;
  field.hidden = true;
  const list2 = await new Promise((resolve) => {
    field.addEventListener("change", () => resolve(field.files));
    field.addEventListener("cancel", () => resolve(null));
    document.body.append(field);
    field.click();
  });
  field.remove();
  return list2 ? offeredFrom(list2) : void 0;
}
var choosesFolders = () => !matchMedia("(pointer: coarse)").matches && "webkitdirectory" in HTMLInputElement.prototype;
var savesIntoFolders = () => pickers.showDirectoryPicker !== void 0;
var savesIntoFiles = () => pickers.showSaveFilePicker !== void 0;
var targetFolder = () => unlessClosed(() => pickers.showDirectoryPicker({ mode: "readwrite" }));
var targetFile = (name) => unlessClosed(() => pickers.showSaveFilePicker({ suggestedName: name }));
async function unlessClosed(pick3) {
  try {
    return await pick3();
  } catch (err2) {
    if (err2 instanceof DOMException && err2.name === "AbortError") return void 0;
    throw err2;
  }
}

// src/drop/focus.ts
function useKeptFocus() {
  const box = T2(null);
  const last3 = T2(void 0);
  A2(() => {
    if (last3.current === void 0 || document.activeElement !== document.body) return;
    const row = [...box.current.querySelectorAll("[data-item]")].find((e4) => e4.dataset.item === last3.current);
    (row?.querySelector("button") ?? box.current.querySelector("h2"))?.focus();
  });
  return {
    ref: box,
    onFocusIn: (event) => {
      const row = event.target.closest("[data-item]");
      last3.current = row?.dataset.item ?? (event.target.closest(".drop-main") ? box.current.querySelector("[data-item]")?.dataset.item : void 0);
    },
    onFocusOut: (event) => {
      if (event.relatedTarget) last3.current = void 0;
    }
  };
}

// src/drop/row.tsx
var sizeOf = (item) => [size(item.size), ...item.kind === "folder" ? [t7("filesInside", { count: item.files })] : []].join(" · ");
function Row({ item, hint, children, actions, class: extra }) {
  return /* @__PURE__ */ a4("li", { "data-item": item.id, class: extra ? "drop-row " + extra : "drop-row", children: [
    /* @__PURE__ */ a4(Icon, { name: iconOf(item), class: "drop-kind" + (item.kind === "folder" ? " folder" : "") }),
    /* @__PURE__ */ a4("div", { class: "drop-row-text", children: [
      /* @__PURE__ */ a4("p", { class: "drop-row-name", children: /* @__PURE__ */ a4(Name, { name: clean(item.name), read: true }) }),
      /* @__PURE__ */ a4("p", { class: "hint", children: hint ?? sizeOf(item) }),
      children
    ] }),
    actions && /* @__PURE__ */ a4("div", { class: "drop-row-actions", children: actions })
  ] });
}
function iconOf({ kind, type }) {
  if (kind === "folder") return "folder";
  const [family] = type.split("/");
  return family === "image" || family === "audio" || family === "video" ? family : /zip|tar|compressed/.test(type) ? "archive" : "file";
}
function Progress({ label, done, total, to, moving = true }) {
  const meter2 = T2(void 0);
  meter2.current ??= new Meter();
  const [, tick] = d2(0);
  if (moving) meter2.current.note(performance.now(), done);
  A2(() => {
    if (!moving) return;
    const timer2 = setInterval(() => tick((n3) => n3 + 1), 1e3);
    return () => clearInterval(timer2);
  }, [moving]);
  const words2 = [percent(done, total), t7("ofWhole", { done: size(done), size: size(total) }), ...moving ? pace(meter2.current, total - done) : []];
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4("progress", { value: done, max: Math.max(1, total), "aria-label": label }),
    /* @__PURE__ */ a4("p", { class: "hint drop-pace", children: [
      to && /* @__PURE__ */ a4("span", { class: "drop-to", children: to }),
      " ",
      /* @__PURE__ */ a4("span", { children: words2.join(" · ") })
    ] })
  ] });
}

// src/drop/theirs.tsx
async function save(drop2, id, to) {
  try {
    const target2 = await to?.();
    if (to && !target2) return;
    await drop2.save(id, target2);
  } catch (err2) {
    toastProblem(err2);
  }
}
function Theirs({ drop: drop2, state, over: over3 }) {
  const sorted = coming(state);
  const kept4 = useKeptFocus();
  if (over3) {
    sorted.open = [];
    sorted.running = [];
    sorted.failed = [];
  }
  const shownGroups = groups.filter((g5) => sorted[g5].length > 0);
  return /* @__PURE__ */ a4("section", { ...kept4, class: "card drop-offers", "aria-labelledby": "drop-theirs", children: [
    /* @__PURE__ */ a4("div", { class: "drop-head", children: /* @__PURE__ */ a4("h2", { id: "drop-theirs", tabIndex: -1, children: t7("theirs") }) }),
    shownGroups.length === 0 && /* @__PURE__ */ a4("div", { class: "drop-none", children: [
      /* @__PURE__ */ a4(Icon, { name: "download" }),
      /* @__PURE__ */ a4("p", { children: /* @__PURE__ */ a4("strong", { children: t7("theirsEmptyTitle") }) }),
      /* @__PURE__ */ a4("p", { class: "hint", children: t7("theirsEmptyText") })
    ] }),
    shownGroups.map((group) => /* @__PURE__ */ a4(Part, { group, rows: sorted[group], drop: drop2, state, titled: shownGroups.length > 1 }, group)),
    /* @__PURE__ */ a4(Main, { drop: drop2, open: sorted.open, verified: sorted.verified })
  ] });
}
function Main({ drop: drop2, open: open2, verified }) {
  if (open2.length < 2 && verified.length < 2) return null;
  return /* @__PURE__ */ a4("div", { class: "drop-main", children: [
    open2.length > 1 && /* @__PURE__ */ a4("button", { type: "button", class: "button primary big", onClick: () => open2.forEach(({ item }) => drop2.take(item.id)), children: [
      /* @__PURE__ */ a4(Icon, { name: "download" }),
      " ",
      t7("receiveAll", { count: open2.length })
    ] }),
    verified.length > 1 && /* @__PURE__ */ a4("button", { type: "button", class: open2.length > 1 ? "button big" : "button primary big", onClick: async () => {
      for (const { item } of verified) await save(drop2, item.id);
    }, children: [
      /* @__PURE__ */ a4(Icon, { name: "download" }),
      " ",
      t7("saveAll", { count: verified.length })
    ] })
  ] });
}
var titles = {
  failed: () => t7("groupFailed"),
  running: () => t7("groupRunning"),
  verified: () => t7("groupVerified"),
  open: () => t7("groupOpen"),
  saved: (count2) => t7("groupSaved", { count: count2 })
};
function Part({ group, rows, drop: drop2, state, titled: titled2 }) {
  const fold = group === "saved" && titled2;
  const [open2, setOpen] = d2(false);
  const title = titles[group](rows.length);
  return /* @__PURE__ */ a4("div", { class: "drop-group", children: [
    titled2 && /* @__PURE__ */ a4("h3", { children: fold ? /* @__PURE__ */ a4("button", { type: "button", class: "drop-fold", "aria-expanded": open2, onClick: () => setOpen(!open2), children: [
      /* @__PURE__ */ a4(Icon, { name: "chevron", class: open2 ? "down" : void 0 }),
      " ",
      title
    ] }) : title }),
    (!fold || open2) && /* @__PURE__ */ a4("ul", { class: "drop-rows", children: rows.map((row) => /* @__PURE__ */ a4(Offered, { row, drop: drop2, state, only: group === "open" && rows.length === 1 }, row.item.id)) })
  ] });
}
function Offered({ row: { item, incoming }, drop: drop2, state, only: only2 }) {
  const name = clean(item.name);
  const from = t7("from", { device: called(state.people.find((p5) => p5.rid === item.owner)) });
  const about2 = state.people.length > 2 ? `${sizeOf(item)} · ${from}` : sizeOf(item);
  const label = t7("progressOf", { name });
  if (!incoming || incoming.state === "broken" && incoming.why === "cancelled") {
    return /* @__PURE__ */ a4(Row, { item, hint: about2, actions: /* @__PURE__ */ a4("button", { type: "button", class: only2 ? "button primary" : "button brief", "aria-label": t7("receiveOf", { name }), onClick: () => drop2.take(item.id), children: [
      /* @__PURE__ */ a4(Icon, { name: "download" }),
      " ",
      /* @__PURE__ */ a4("span", { children: t7("receive") })
    ] }) });
  }
  const cancel4 = /* @__PURE__ */ a4("button", { type: "button", class: "icon-button", "aria-label": t7("cancelOf", { name }), title: t7("cancel"), onClick: () => drop2.cancel(item.id), children: /* @__PURE__ */ a4(Icon, { name: "close" }) });
  const { done, total, why: why3 } = incoming;
  switch (incoming.state) {
    case "waiting":
      return /* @__PURE__ */ a4(Row, { item, hint: about2, actions: cancel4, children: /* @__PURE__ */ a4("p", { class: "hint", children: t7("state_waiting") }) });
    case "checking":
      return /* @__PURE__ */ a4(Row, { item, hint: about2, actions: cancel4, children: [
        /* @__PURE__ */ a4("progress", { "aria-label": label }),
        /* @__PURE__ */ a4("p", { class: "hint", children: t7("state_checking") })
      ] });
    case "running":
      return /* @__PURE__ */ a4(Row, { item, hint: about2, actions: cancel4, children: /* @__PURE__ */ a4(Progress, { label, done, total }) });
    case "retrying":
      return /* @__PURE__ */ a4(Row, { item, hint: about2, actions: cancel4, children: [
        /* @__PURE__ */ a4(Progress, { label, done, total, moving: false }),
        /* @__PURE__ */ a4("p", { class: "hint", children: t7("state_retrying") })
      ] });
    case "broken":
      return /* @__PURE__ */ a4(Row, { item, hint: about2, class: "broken", actions: /* @__PURE__ */ a4("button", { type: "button", class: "button brief", "aria-label": t7("retryOf", { name }), onClick: () => void retry2(), children: [
        /* @__PURE__ */ a4(Icon, { name: "retry" }),
        " ",
        /* @__PURE__ */ a4("span", { children: t7("retry") })
      ] }), children: /* @__PURE__ */ a4("p", { class: "error", children: [
        /* @__PURE__ */ a4(Icon, { name: "warning" }),
        " ",
        t7("state_broken"),
        " ",
        why3 && t7(`why_${why3}`)
      ] }) });
    default:
      return /* @__PURE__ */ a4(Row, { item, hint: about2, class: "drop-row-whole", actions: /* @__PURE__ */ a4(Save, { drop: drop2, row: { item, incoming } }), children: /* @__PURE__ */ a4("p", { class: "drop-good", children: [
        /* @__PURE__ */ a4(Icon, { name: "check", class: "good" }),
        " ",
        /* @__PURE__ */ a4("span", { children: [
          incoming.state === "saved" ? t7("state_saved") + " · " : "",
          t7("state_verified")
        ] })
      ] }) });
  }
  async function retry2() {
    if (why3 !== "no_space" || !savesIntoFiles()) return drop2.take(item.id);
    const to = await targetFile(item.kind === "folder" ? name + ".zip" : name).catch(toastProblem);
    if (to) drop2.take(item.id, to);
  }
}
function Save({ drop: drop2, row: { item, incoming } }) {
  const name = clean(item.name);
  const again3 = incoming.state === "saved";
  const more = savesIntoFolders() ? [{ icon: "folder", label: t7("saveFolder"), run: () => void save(drop2, item.id, targetFolder) }] : [];
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4("button", { type: "button", class: again3 ? "button" : "button primary", "aria-label": again3 ? t7("saveAgainOf", { name }) : item.kind === "folder" ? t7("saveZipOf", { name }) : t7("saveOf", { name }), onClick: () => void save(drop2, item.id), children: [
      !again3 && /* @__PURE__ */ a4(Icon, { name: "download" }),
      " ",
      /* @__PURE__ */ a4("span", { children: again3 ? t7("saveAgain") : item.kind === "folder" ? t7("saveZip") : t7("save") })
    ] }),
    more.length > 0 && /* @__PURE__ */ a4(Menu, { label: t7("saveMore", { name }), items: more, children: /* @__PURE__ */ a4(Icon, { name: "more" }) })
  ] });
}

// src/drop/yours.tsx
async function pick(folder3) {
  const chosen3 = choose(folder3);
  try {
    if (await chosen3) await send2(chosen3);
  } catch (err2) {
    toastProblem(err2);
  }
}
function Yours({ drop: drop2, state }) {
  const rows = going(state);
  const kept4 = useKeptFocus();
  return /* @__PURE__ */ a4("section", { ...kept4, class: "card drop-offers", "aria-labelledby": "drop-yours", children: [
    /* @__PURE__ */ a4("div", { class: "drop-head", children: /* @__PURE__ */ a4("h2", { id: "drop-yours", tabIndex: -1, children: t7("yours") }) }),
    rows.length === 0 && state.missing.length === 0 && /* @__PURE__ */ a4("p", { class: "hint", children: state.host ? t7("yoursEmptyHost") : t7("yoursEmpty") }),
    /* @__PURE__ */ a4("ul", { class: "drop-rows", children: [
      state.missing.map((missing) => /* @__PURE__ */ a4(Lost2, { drop: drop2, missing }, missing.item.id)),
      rows.map((row) => /* @__PURE__ */ a4(Offer, { drop: drop2, state, row }, row.item.id))
    ] }),
    /* @__PURE__ */ a4("div", { class: "card-buttons", children: [
      /* @__PURE__ */ a4("button", { type: "button", class: "button", "aria-disabled": opening.value, onClick: () => void pick(false), children: [
        /* @__PURE__ */ a4(Icon, { name: "plus" }),
        " ",
        t7("addFiles")
      ] }),
      choosesFolders() && /* @__PURE__ */ a4("button", { type: "button", class: "button", "aria-disabled": opening.value, onClick: () => void pick(true), children: [
        /* @__PURE__ */ a4(Icon, { name: "folderPlus" }),
        " ",
        t7("addFolder")
      ] })
    ] })
  ] });
}
function Offer({ drop: drop2, state, row: { item, to, verified } }) {
  const name = clean(item.name);
  const device2 = (rid) => called(state.people.find((p5) => p5.rid === rid));
  return /* @__PURE__ */ a4(Row, { item, hint: to.length + verified.length === 0 ? `${sizeOf(item)} · ${t7("waitingFor")}` : void 0, actions: /* @__PURE__ */ a4("button", { type: "button", class: "icon-button", "aria-label": t7("withdraw", { name }), title: t7("withdrawShort"), onClick: () => {
    drop2.withdraw(item.id);
    toast(t7("withdrawn", { name }));
  }, children: /* @__PURE__ */ a4(Icon, { name: "close" }) }), children: [
    to.map((o5) => /* @__PURE__ */ a4(To, { out: o5, name, device: device2(o5.to) }, o5.to)),
    verified.length > 0 && /* @__PURE__ */ a4("p", { class: "drop-good", children: [
      /* @__PURE__ */ a4(Icon, { name: "check", class: "good" }),
      " ",
      /* @__PURE__ */ a4("span", { children: t7("verifiedBy", { devices: verified.map((o5) => device2(o5.to)).join(", ") }) })
    ] })
  ] });
}
function To({ out, name, device: device2 }) {
  if (out.state === "failed") return /* @__PURE__ */ a4("p", { class: "error", children: [
    /* @__PURE__ */ a4(Icon, { name: "warning" }),
    " ",
    t7("outFailed", { device: device2 }),
    " ",
    out.why && t7(`why_${out.why}`)
  ] });
  if (out.state === "waiting") return /* @__PURE__ */ a4("p", { class: "hint", children: t7("outWaiting", { device: device2 }) });
  return /* @__PURE__ */ a4("div", { class: "drop-out", children: /* @__PURE__ */ a4(Progress, { label: t7("progressTo", { name, device: device2 }), done: out.confirmed, total: out.total, to: t7("outRunning", { device: device2 }) }) });
}
function Lost2({ drop: drop2, missing: { item, ask: ask4 } }) {
  async function again3() {
    try {
      if (ask4) {
        await drop2.again(item.id);
        return;
      }
      const [found] = await choose(item.kind === "folder") ?? [];
      if (found && !await drop2.again(item.id, found)) toast(t7("otherFile", { name: clean(item.name) }), true);
    } catch (err2) {
      toastProblem(err2);
    }
  }
  return /* @__PURE__ */ a4(Row, { item, hint: ask4 ? t7("lostAsk") : t7("lostChoose"), class: "lost", actions: /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => void again3(), children: ask4 ? t7("allow") : t7("chooseAgain") }) });
}

// src/drop/live.tsx
function Live({ drop: drop2 }) {
  const { shown: state, hold: hold4 } = useSteady(drop2.state.value);
  const [closing, setClosing] = d2(false);
  const ready = state.phase !== "closed" && me2(state) !== void 0;
  A2(() => {
    if (ready && document.activeElement === document.body) focusMain();
  }, [ready]);
  if (state.phase === "closed") return /* @__PURE__ */ a4(Ended, { drop: drop2, state });
  if (!me2(state)) return /* @__PURE__ */ a4(Skeleton, {});
  const ask4 = () => setClosing(true);
  const leave5 = async () => {
    await drop2.leave();
    if (state.host) return;
    await forget();
    go("/send");
    toast(t7("left"));
  };
  return /* @__PURE__ */ a4("div", { class: state.host ? "drop-live host" : "drop-live", onPointerDown: hold4, children: [
    /* @__PURE__ */ a4(News, { state }),
    /* @__PURE__ */ a4(Head, { state, onClose: ask4 }),
    state.host && /* @__PURE__ */ a4(Share, { drop: drop2, state, onClose: ask4 }),
    /* @__PURE__ */ a4("div", { class: "drop-lists", children: [
      state.host ? /* @__PURE__ */ a4(Yours, { drop: drop2, state }) : /* @__PURE__ */ a4(Theirs, { drop: drop2, state }),
      state.host ? hasTheirs(state) && /* @__PURE__ */ a4(Theirs, { drop: drop2, state }) : /* @__PURE__ */ a4(Yours, { drop: drop2, state })
    ] }),
    /* @__PURE__ */ a4("div", { class: "drop-side", children: [
      /* @__PURE__ */ a4(People, { state }),
      /* @__PURE__ */ a4("p", { children: /* @__PURE__ */ a4(SafeLink, {}) })
    ] }),
    /* @__PURE__ */ a4(DropZone, { label: t7("dropHere"), onDrop: dropped }),
    closing && /* @__PURE__ */ a4(Confirm, { title: state.host ? t7("closeAsk") : t7("leaveAsk"), action: state.host ? t7("close") : t7("leave"), onClose: () => setClosing(false), onConfirm: leave5, children: [
      /* @__PURE__ */ a4("p", { children: state.host ? t7("closeAskText") : t7("leaveAskText") }),
      flowing.value && /* @__PURE__ */ a4("p", { children: t7("closeAskFlow") }),
      state.incoming.some((i4) => i4.state === "verified") && /* @__PURE__ */ a4("p", { children: t7("leaveAskUnsaved") })
    ] })
  ] });
}
var hasTheirs = (state) => state.items.some((item) => item.owner !== me2(state).rid) || state.items.length + state.missing.length === 0;
function Head({ state, onClose }) {
  const here2 = others(state).filter((p5) => p5.here);
  const empty = !state.items.some((item) => item.owner === me2(state).rid) && state.missing.length === 0;
  const host = state.people.find((p5) => p5.host);
  return /* @__PURE__ */ a4("div", { class: "drop-title", children: [
    /* @__PURE__ */ a4("div", { children: [
      /* @__PURE__ */ a4("h1", { children: !state.host ? t7("guestTitle") : here2.length > 0 ? t7("connectedTitle", { count: here2.length }) : empty ? t7("openTitle") : t7("readyTitle") }),
      /* @__PURE__ */ a4("p", { children: state.phase === "reconnecting" ? /* @__PURE__ */ a4("span", { class: "drop-lost", role: "status", children: [
        /* @__PURE__ */ a4("span", { class: "spinner", "aria-hidden": "true" }),
        " ",
        t7("reconnecting")
      ] }) : state.host ? t7("readyText", { site: location.host }) : t7("guestText", { name: state.name, device: called(host) }) })
    ] }),
    /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: onClose, children: [
      /* @__PURE__ */ a4(Icon, { name: "close" }),
      " ",
      /* @__PURE__ */ a4("span", { children: state.host ? t7("close") : t7("leave") })
    ] })
  ] });
}
function Ended({ drop: drop2, state }) {
  const kept4 = state.incoming.some((i4) => i4.state === "verified" || i4.state === "saved");
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4(Over, { refusal: state.refusal ?? "closed", host: state.host, name: state.name, retryAfter: state.retryAfter, again: async () => {
      await forget();
      if (state.refusal === "replaced") be(await resumeDrop({ name: state.name }));
    } }),
    kept4 && /* @__PURE__ */ a4(Theirs, { drop: drop2, state, over: true })
  ] });
}
function News({ state }) {
  const before2 = T2(state);
  const [said, setSaid] = d2("");
  A2(() => {
    const text2 = news(before2.current, state);
    before2.current = state;
    if (text2) setSaid(text2);
  }, [state]);
  return /* @__PURE__ */ a4("p", { class: "hidden", role: "status", children: said });
}

// src/drop/send-page.tsx
function Send() {
  const [ready, setReady] = d2(current2.value !== void 0);
  const hindered = obstacle();
  A2(() => {
    if (!ready && !hindered) void resume({ host: true }).finally(() => setReady(true));
  }, []);
  if (hindered) return /* @__PURE__ */ a4(Hindered, { why: hindered });
  if (current2.value) return /* @__PURE__ */ a4(Live, { drop: current2.value });
  return ready ? /* @__PURE__ */ a4(Start, {}) : /* @__PURE__ */ a4(Skeleton, {});
}
function Hindered({ why: why3 }) {
  return /* @__PURE__ */ a4(Empty, { icon: "warning", title: t7("place"), page: true, children: /* @__PURE__ */ a4("p", { children: why3 === "insecure" ? t7("insecure") : t7("oldBrowser") }) });
}
function Start() {
  const busy3 = opening.value;
  return /* @__PURE__ */ a4("div", { class: "drop-start", children: [
    /* @__PURE__ */ a4("div", { children: [
      /* @__PURE__ */ a4("h1", { children: t7("place") }),
      /* @__PURE__ */ a4("p", { class: "lead", children: t7("lead") })
    ] }),
    /* @__PURE__ */ a4("div", { class: "drop-choices", children: [
      /* @__PURE__ */ a4("section", { class: "drop-target", "aria-labelledby": "drop-send", "aria-busy": busy3, children: [
        /* @__PURE__ */ a4("span", { class: "empty-icon", children: busy3 ? /* @__PURE__ */ a4("span", { class: "spinner", "aria-hidden": "true" }) : /* @__PURE__ */ a4(Icon, { name: "upload" }) }),
        /* @__PURE__ */ a4("h2", { id: "drop-send", children: t7("send") }),
        /* @__PURE__ */ a4("p", { class: "drop-only-desk", children: t7("sendTarget") }),
        /* @__PURE__ */ a4("div", { class: "drop-buttons", children: [
          /* @__PURE__ */ a4("button", { type: "button", class: "button primary big", "aria-disabled": busy3, onClick: () => void pick(false), children: [
            /* @__PURE__ */ a4(Icon, { name: "file" }),
            " ",
            t7("chooseFiles")
          ] }),
          choosesFolders() && /* @__PURE__ */ a4("button", { type: "button", class: "button big", "aria-disabled": busy3, onClick: () => void pick(true), children: [
            /* @__PURE__ */ a4(Icon, { name: "folder" }),
            " ",
            t7("chooseFolder")
          ] })
        ] }),
        /* @__PURE__ */ a4("p", { class: "hint", role: "status", children: busy3 ? t7("opening") : t7("sendHint") })
      ] }),
      /* @__PURE__ */ a4("section", { class: "card drop-receive", "aria-labelledby": "drop-receive", children: [
        /* @__PURE__ */ a4("span", { class: "empty-icon", children: /* @__PURE__ */ a4(Icon, { name: "download" }) }),
        /* @__PURE__ */ a4("h2", { id: "drop-receive", children: t7("receive") }),
        /* @__PURE__ */ a4(NameForm, {}),
        /* @__PURE__ */ a4("p", { class: "aside", children: [
          t7("showCodeHint"),
          " ",
          /* @__PURE__ */ a4("button", { type: "button", class: "link", "aria-disabled": busy3, onClick: () => void send2(), children: t7("showCode") })
        ] })
      ] })
    ] }),
    /* @__PURE__ */ a4("p", { children: /* @__PURE__ */ a4(SafeLink, {}) }),
    /* @__PURE__ */ a4(DropZone, { label: t7("dropHere"), onDrop: dropped })
  ] });
}

// src/drop/receive-page.tsx
function Receive({ params }) {
  const name = cleanName(params.name);
  const [secret] = d2(() => take2(name));
  return /* @__PURE__ */ a4(At, { name, secret }, name);
}
function At({ name, secret }) {
  const [ready, setReady] = d2(current2.value !== void 0 || secret !== void 0);
  const hindered = obstacle();
  A2(() => {
    if (!ready && !hindered) void resume({ name }).finally(() => setReady(true));
  }, []);
  const drop2 = current2.value;
  const now = drop2?.state.value.name;
  const mine2 = drop2 !== void 0 && isCalled(name);
  A2(() => {
    if (mine2 && now && now !== name && path.value.startsWith("/d/")) go("/d/" + encodeURIComponent(now), { replace: true });
  }, [mine2, now]);
  if (hindered) return /* @__PURE__ */ a4(Hindered, { why: hindered });
  if (!ready) return /* @__PURE__ */ a4(Skeleton, {});
  if (mine2) return /* @__PURE__ */ a4(Live, { drop: drop2 });
  if (drop2 && drop2.state.value.phase !== "closed") return /* @__PURE__ */ a4(Elsewhere, { here: now, there: name });
  return /* @__PURE__ */ a4(Join, { name, secret });
}
function Elsewhere({ here: here2, there }) {
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("h1", { children: t7("elsewhereTitle") }),
    /* @__PURE__ */ a4("p", { children: t7("elsewhereText", { here: here2, there }) }),
    /* @__PURE__ */ a4("div", { class: "form-actions", children: [
      /* @__PURE__ */ a4("a", { class: "button primary", href: "/send", children: t7("back", { name: here2 }) }),
      /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: async () => {
        await current2.peek()?.leave();
        await forget();
      }, children: t7("leaveAndGo", { name: there }) })
    ] })
  ] });
}

// src/drop/room.ts
var drop = {
  routes: [
    { path: "/send", page: Send, title: () => titled(t7("place")), open: true, wide: true },
    { path: "/send/safe", page: Safe, title: () => t7("safeTitle"), open: true },
    { path: "/d/:name", page: Receive, title: () => titled(t7("joinTitle")), open: true, wide: true, alone: true }
  ],
  places: [{ href: "/send", icon: "swap", label: () => t7("place"), short: () => t7("placeShort"), order: 4, phone: "bar", open: true }],
  home: { Part: HomeReceive, order: 1 },
  problems: problems4,
  start: startDrops
};

// src/shell/feed.ts
var anything = "anything";
var ears = /* @__PURE__ */ new Map();
var channel = new BroadcastChannel("coffer.feed");
function onChange(kind, ear) {
  ears.set(kind, [...ears.get(kind) ?? [], ear]);
}
function startFeed() {
  channel.onmessage = (message) => hear(message.data);
  let was;
  let stop;
  x2(() => {
    const who = auth.value.is === "in" ? auth.value.account.id : void 0;
    if (who === was) return;
    was = who;
    stop?.abort();
    if (!who) return;
    stop = new AbortController();
    void lead(stop.signal);
  });
}
async function lead(signal) {
  const work4 = () => follow(signal);
  await (navigator.locks ? navigator.locks.request("coffer.feed", { signal }, work4) : work4()).catch(() => void 0);
}
async function follow(signal) {
  for (let wait = 1e3; !signal.aborted; wait = Math.min(2 * wait, 3e4)) {
    try {
      const response = await stream("/changes", { signal });
      if (wait > 1e3) tell({ kind: anything });
      wait = 1e3;
      await read3(response.body, tell);
    } catch {
    }
    await sleep(wait * (0.5 + Math.random()), signal);
  }
}
function sleep(ms, signal) {
  return new Promise((resolve) => {
    const timer2 = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer2), resolve()), { once: true });
  });
}
async function read3(body, event) {
  let kind = "";
  let rest = "";
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (; ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith("event: ")) kind = line.slice(7);
      else if (line.startsWith("data: ")) event({ kind, id: JSON.parse(line.slice(6)).id });
    }
  }
}
function tell(event) {
  hear(event);
  channel.postMessage(event);
}
function hear({ kind, id }) {
  if (kind === anything) for (const some of ears.values()) for (const ear of some) ear(void 0);
  else for (const ear of ears.get(kind) ?? []) ear(id);
}

// src/file/refresh.ts
var changes = y3({});
var everyFolder = "*";
function refreshFolder(id = everyFolder) {
  const now = changes.peek();
  changes.value = { ...now, [id]: (now[id] ?? 0) + 1 };
}
function allChanges() {
  return Object.values(changes.value).reduce((sum, n3) => sum + n3, 0);
}
function changesOf(id) {
  return (changes.value[id] ?? 0) + (changes.value[everyFolder] ?? 0);
}

// src/file/batch.ts
var sleep2 = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1e3));
var patience = 20;
async function each(items, work4, { signal, progress, pause: pause5 = sleep2 }) {
  const out = { done: [], failed: [], left: [] };
  for (const [at, item] of items.entries()) {
    if (signal.aborted) {
      out.left = items.slice(at);
      break;
    }
    const problem2 = await patiently(() => work4(item), signal, pause5);
    if (!problem2) {
      out.done.push(item);
    } else if (signal.aborted) {
      out.left = items.slice(at);
      break;
    } else {
      out.failed.push({ item, problem: problem2 });
    }
    if (problem2 && ends(problem2)) {
      out.left = items.slice(at + 1);
      break;
    }
    progress(at + 1);
  }
  return out;
}
async function patiently(work4, signal, pause5) {
  for (let tries = 1; ; tries++) {
    try {
      await work4();
      return void 0;
    } catch (err2) {
      const problem2 = asProblem(err2);
      const wait = problem2.wait || (problem2.status === 429 ? problem2.retryAfter : 0);
      if (!wait || tries >= patience || signal.aborted) return problem2;
      await pause5(wait);
    }
  }
}
function ends(p5) {
  return p5.temporary && p5.code !== "cancelled" || p5.status === 429 || p5.code === "unauthenticated" || p5.code === "step_up_required";
}

// src/file/words.ts
var t8 = catalog({
  en: {
    files: "Files",
    path: "Where you are",
    foldersAbove: "All folders above",
    newFolder: "New folder",
    create: "Create",
    name: "Name",
    numbered: "That name was taken; the folder is called “{name}”.",
    numberedFile: "That name was taken; the file is called “{name}”.",
    uploadFiles: "Upload files",
    uploadFolder: "Upload folder",
    size: "Size",
    modified: "Modified",
    actions: "Actions",
    sortBy: "Sort by {column}",
    sorting: "Sorting",
    sortNameUp: "Name, A to Z",
    sortNameDown: "Name, Z to A",
    sortNewest: "Newest first",
    sortOldest: "Oldest first",
    sortLargest: "Largest first",
    sortSmallest: "Smallest first",
    selectAllOpen: "Select all",
    selectAllOf: { one: "Select all {count}", other: "Select all {count}" },
    selecting: { one: "Selecting all: {count} so far", other: "Selecting all: {count} so far" },
    select: "Select {name}",
    open: "Open",
    download: "Download",
    rename: "Rename",
    renameFile: "Rename the file",
    renameFolder: "Rename the folder",
    move: "Move",
    moveOne: "Move to another folder",
    moveMany: { one: "Move {count} item", other: "Move {count} items" },
    moveHere: "Move here",
    moved: { one: "Moved to {folder}.", other: "{count} items moved to {folder}." },
    movedNumbered: { one: "A name was taken there; it is called “{name}” now.", other: "{count} names were taken there; they got a number, such as “{name}”." },
    items: { one: "{count} item", other: "{count} items" },
    where: "Choose a folder",
    isHere: "(already here)",
    foldersIn: "Folders in {name}",
    noFolders: "There is no other folder yet.",
    delete: "Delete",
    openOf: "Open {name}",
    copyTo: "Copy to…",
    copyOne: "Copy to a folder",
    copyMany: { one: "Copy {count} item", other: "Copy {count} items" },
    copyHere: "Copy here",
    copied: { one: "Copied to {folder}.", other: "{count} items copied to {folder}." },
    discarding: { one: "Moving {count} item to the trash", other: "Moving {count} items to the trash" },
    discarded: { one: "“{name}” moved to the trash.", other: "{count} items moved to the trash." },
    undo: "Undo",
    trash: "Trash",
    trashText: "What you deleted stays here until its time is up. It takes room until then.",
    trashEmpty: "The trash is empty",
    trashEmptyText: "What you delete comes here first, and can be restored.",
    trashKeys: "Keys: arrows move, Space selects, Ctrl+A selects all, Escape selects nothing, Delete deletes for good.",
    origin: "Was in",
    timeLeft: "Time left",
    staysForEver: "Stays until you delete it",
    staysDays: { one: "{count} day left", other: "{count} days left" },
    staysHours: { one: "{count} hour left", other: "{count} hours left" },
    staysLittle: "Less than an hour left",
    restore: "Restore",
    restoring: { one: "Restoring {count} item", other: "Restoring {count} items" },
    restored: { one: "Restored.", other: "{count} items restored." },
    deleteForGood: "Delete for good",
    deleteOne: "Delete for good?",
    deleteMany: { one: "Delete {count} item for good?", other: "Delete {count} items for good?" },
    deleteText: "This cannot be undone.",
    deleteFolderText: "Everything inside is deleted too. This cannot be undone.",
    deleted: { one: "Deleted for good.", other: "{count} items deleted for good." },
    emptyTrash: "Empty trash",
    emptyTrashTitle: "Empty the trash?",
    emptyTrashText: "Everything in it is deleted for good. This cannot be undone.",
    emptied: "The trash is empty.",
    search: "Search files",
    searchWhere: "Where to search",
    searchAll: "All files",
    searchTitle: "Search your files",
    searchText: "Type words of a name, or their beginnings, in any order.",
    hitsFor: "Search: {q}",
    hits: { one: "{count} result", other: "{count} results" },
    hitsOpen: { one: "More than {count} result", other: "More than {count} results" },
    noHits: "Nothing found",
    noHitsText: "No file or folder has a name with these words. Try fewer words, or only their beginnings.",
    place: "Place",
    placeOf: "{name} is in {place}",
    zipOf: { one: "{count} item as a zip", other: "{count} items as a zip" },
    tooManyForZip: "One download takes at most {count} selected items. Select fewer, or download the folder that they are in.",
    progress: "Progress",
    triedOf: "{tried} of {count}",
    stop: "Stop",
    stopped: "Stopped after {done} of {count}.",
    someFailed: "{done} of {count} went through. {reason}",
    rowMenu: "Actions for {name}",
    folder: "Folder",
    selected: { one: "{count} selected", other: "{count} selected" },
    clear: "Clear selection",
    emptyTitle: "Nothing here yet",
    emptyText: "Drop files or whole folders anywhere on this page, or choose them.",
    emptyFolderTitle: "This folder is empty",
    dropHere: "Drop to upload into {name}",
    more: "Show more",
    seeking: { one: "Going to the end: {count} so far", other: "Going to the end: {count} so far" },
    layout: "Layout",
    asList: "List",
    asGrid: "Grid",
    listOf: "Contents of {name}",
    keys: "Keys: arrows move, Space selects, Ctrl+A selects all, Escape selects nothing, Enter opens, F2 renames, Delete moves to the trash.",
    uploads: "Uploads",
    allUploads: "All uploads",
    uploading: { one: "Uploading {count} file", other: "Uploading {count} files" },
    uploaded: { one: "{count} file uploaded", other: "{count} files uploaded" },
    uploadsFailed: { one: "{count} upload failed", other: "{count} uploads failed" },
    downloads: "Downloads",
    downloading: "Downloading",
    downloadFailed: "The download failed",
    downloaded: "Downloaded",
    downloadCancelled: "The download was cancelled",
    preparing: "Being prepared …",
    received: "{size} received",
    goFiles: { one: "{count} file ({size})", other: "{count} files ({size})" },
    goFilesNone: "No files: you have none here",
    goFilesMany: "All your files: more than {count}",
    goFilesAll: "All your files and folders",
    goFilesCounting: "All your files (being counted …)",
    notUploaded: "Not uploaded",
    underWay: "On the way",
    arrived: { one: "{count} done", other: "{count} done" },
    retryAll: "Try all again",
    cancelAll: "Cancel all",
    others: { one: "and {count} more", other: "and {count} more" },
    finishing: "Being stored …",
    became: "The name was taken: uploaded under this one",
    takenFile: "This name is taken",
    takenFolder: "A folder’s name is taken",
    takenThere: "Already here",
    takenNew: "New",
    takenComing: "Being uploaded now",
    takenText: "Keep both gives the new one a number. Skip leaves it out.",
    filesInside: { one: "{count} file inside", other: "{count} files inside" },
    keepBoth: "Keep both",
    skip: "Skip",
    forAll: { one: "Do this for all {count}", other: "Do this for all {count}" },
    skipped: { one: "{count} skipped.", other: "{count} skipped." },
    details: "Show the list",
    less: "Hide the list",
    closeUploads: "Close the list of uploads",
    progressOf: "Progress of {name}",
    sentOf: "{sent} of {size}",
    held: "The server is busy. The upload continues by itself.",
    state_asking: "Checking the name",
    asked: "Waits for your answer",
    state_waiting: "Waiting",
    state_sending: "Uploading",
    state_done: "Uploaded",
    state_failed: "Failed",
    state_cancelled: "Cancelled",
    cancel: "Cancel",
    cancelOf: "Cancel {name}",
    retry: "Try again",
    retryOf: "Try {name} again",
    takenReplace: "Replace puts the new one in its place, and the old one becomes a version.",
    takenGone: "Replace puts the new one in its place. The old one is gone for good: this server keeps no versions.",
    takenPlace: "Replace puts the new one in its place.",
    replace: "Replace",
    uploadsPaused: { one: "{count} upload paused", other: "{count} uploads paused" },
    uploadsLeft: { one: "{count} unfinished upload", other: "{count} unfinished uploads" },
    unfinished: "Unfinished",
    unfinishedText: { one: "Choose the same file again, and it goes on where it stopped.", other: "Choose the same files again, and they go on where they stopped." },
    chooseFiles: { one: "Choose the file", other: "Choose the files" },
    otherFile: { one: "“{name}” is not the same file: its name, size or time is another.", other: "{count} files are none of these, such as “{name}”: name, size or time are others." },
    discard: "Discard",
    discardOf: "Discard {name}",
    discardTitle: "Discard this upload?",
    discardText: "What has arrived of it is deleted. The file on your device stays.",
    pause: "Pause",
    pauseOf: "Pause {name}",
    resume: "Go on",
    resumeOf: "Go on with {name}",
    lost: "The connection is lost. The upload goes on by itself.",
    state_paused: "Paused",
    versions: "Versions",
    versionNow: "Current version",
    versionUntil: "replaced {time}",
    versionsNone: "There are no earlier versions. Each time you replace the file by an upload, its old content becomes one.",
    versionsOff: "There are no earlier versions. This server keeps none: what you replace is gone for good.",
    versionsRoom: "Versions take up room of your storage.",
    versionMenu: "Actions for the version of {time}",
    versionRestored: "Restored. What was current before is a version now.",
    versionDelete: "Delete this version for good?",
    versionOf: "{time}, {size}",
    storage: "Storage",
    storageText: "What takes up your room, and where you can make some.",
    storageUsed: "Storage used",
    used: "{used} used",
    usedOf: "{used} of {whole} used",
    storageNoLimit: "There is no limit for your account.",
    storageFull: "Your storage is full. Delete something for good, or empty the trash.",
    storageNearlyFull: "Your storage is nearly full.",
    storageFiles: "Files",
    storageFilesText: { one: "{count} file", other: "{count} files" },
    storageVersions: "Versions",
    storageVersionsText: { one: "{count} earlier version. You find it in the menu of its file.", other: "{count} earlier versions. You find them in the menus of their files." },
    storageTrash: "Trash",
    storageTrashText: { one: "{count} file. It takes up room until it is deleted for good.", other: "{count} files. They take up room until they are deleted for good." },
    storageOpen: "Unfinished uploads",
    storageOpenText: { one: "{count} upload. Its room is kept free.", other: "{count} uploads. Their room is kept free." },
    storageOpenHow: "To go on, choose the same file again in the browser where you began. To free the room, discard it.",
    storageShared: "Copies share their content: it takes up room once, and counts in each place above.",
    filesOf: "{count} of {whole} files",
    goesOn: "kept until {time}",
    largest: "Largest files",
    showIn: "{name}, show in {folder}",
    toStorage: "See what takes up room",
    damaged: "Damaged",
    unreadable: "The browser could not read what you dropped.",
    pointSealed: "Stored encrypted",
    pointSealedText: "Names and contents are encrypted before they are written. Someone who copies only the database cannot read them.",
    pointSimple: "Easy to use",
    pointSimpleText: "Drop files and whole folders, rename, move and download them, with a mouse, a finger or the keyboard."
  },
  de: {
    files: "Dateien",
    path: "Wo Sie sind",
    foldersAbove: "Alle Ordner darüber",
    newFolder: "Neuer Ordner",
    create: "Anlegen",
    name: "Name",
    numbered: "Der Name war vergeben; der Ordner heißt „{name}“.",
    numberedFile: "Der Name war vergeben; die Datei heißt „{name}“.",
    uploadFiles: "Dateien hochladen",
    uploadFolder: "Ordner hochladen",
    size: "Größe",
    modified: "Geändert",
    actions: "Aktionen",
    sortBy: "Nach {column} sortieren",
    sorting: "Sortierung",
    sortNameUp: "Name, A bis Z",
    sortNameDown: "Name, Z bis A",
    sortNewest: "Neueste zuerst",
    sortOldest: "Älteste zuerst",
    sortLargest: "Größte zuerst",
    sortSmallest: "Kleinste zuerst",
    selectAllOpen: "Alle auswählen",
    selectAllOf: { one: "Alle {count} auswählen", other: "Alle {count} auswählen" },
    selecting: { one: "Alle werden ausgewählt: bisher {count}", other: "Alle werden ausgewählt: bisher {count}" },
    select: "{name} auswählen",
    open: "Öffnen",
    download: "Herunterladen",
    rename: "Umbenennen",
    renameFile: "Datei umbenennen",
    renameFolder: "Ordner umbenennen",
    move: "Verschieben",
    moveOne: "In einen anderen Ordner verschieben",
    moveMany: { one: "{count} Element verschieben", other: "{count} Elemente verschieben" },
    moveHere: "Hierher verschieben",
    moved: { one: "Nach {folder} verschoben.", other: "{count} Elemente nach {folder} verschoben." },
    movedNumbered: { one: "Der Name war dort vergeben; es heißt jetzt „{name}“.", other: "{count} Namen waren dort vergeben; sie bekamen eine Nummer, etwa „{name}“." },
    items: { one: "{count} Element", other: "{count} Elemente" },
    where: "Ordner wählen",
    isHere: "(schon hier)",
    foldersIn: "Ordner in {name}",
    noFolders: "Es gibt noch keinen anderen Ordner.",
    delete: "Löschen",
    openOf: "{name} öffnen",
    copyTo: "Kopieren nach…",
    copyOne: "In einen Ordner kopieren",
    copyMany: { one: "{count} Element kopieren", other: "{count} Elemente kopieren" },
    copyHere: "Hierher kopieren",
    copied: { one: "Nach {folder} kopiert.", other: "{count} Elemente nach {folder} kopiert." },
    discarding: { one: "{count} Element kommt in den Papierkorb", other: "{count} Elemente kommen in den Papierkorb" },
    discarded: { one: "„{name}“ liegt im Papierkorb.", other: "{count} Elemente liegen im Papierkorb." },
    undo: "Rückgängig",
    trash: "Papierkorb",
    trashText: "Was Sie gelöscht haben, bleibt hier, bis seine Zeit um ist. Bis dahin braucht es Platz.",
    trashEmpty: "Der Papierkorb ist leer",
    trashEmptyText: "Was Sie löschen, kommt zuerst hierher und lässt sich wiederherstellen.",
    trashKeys: "Tasten: Pfeile bewegen, Leertaste wählt aus, Strg+A wählt alles aus, Esc hebt die Auswahl auf, Entf löscht endgültig.",
    origin: "War in",
    timeLeft: "Verbleibt noch",
    staysForEver: "Bleibt, bis Sie es löschen",
    staysDays: { one: "Noch {count} Tag", other: "Noch {count} Tage" },
    staysHours: { one: "Noch {count} Stunde", other: "Noch {count} Stunden" },
    staysLittle: "Keine Stunde mehr",
    restore: "Wiederherstellen",
    restoring: { one: "{count} Element wird wiederhergestellt", other: "{count} Elemente werden wiederhergestellt" },
    restored: { one: "Wiederhergestellt.", other: "{count} Elemente wiederhergestellt." },
    deleteForGood: "Endgültig löschen",
    deleteOne: "Endgültig löschen?",
    deleteMany: { one: "{count} Element endgültig löschen?", other: "{count} Elemente endgültig löschen?" },
    deleteText: "Das lässt sich nicht rückgängig machen.",
    deleteFolderText: "Alles darin wird auch gelöscht. Das lässt sich nicht rückgängig machen.",
    deleted: { one: "Endgültig gelöscht.", other: "{count} Elemente endgültig gelöscht." },
    emptyTrash: "Papierkorb leeren",
    emptyTrashTitle: "Papierkorb leeren?",
    emptyTrashText: "Alles darin wird endgültig gelöscht. Das lässt sich nicht rückgängig machen.",
    emptied: "Der Papierkorb ist leer.",
    search: "Dateien suchen",
    searchWhere: "Wo gesucht wird",
    searchAll: "Alle Dateien",
    searchTitle: "Ihre Dateien durchsuchen",
    searchText: "Geben Sie Wörter eines Namens oder deren Anfänge ein, in beliebiger Reihenfolge.",
    hitsFor: "Suche: {q}",
    hits: { one: "{count} Treffer", other: "{count} Treffer" },
    hitsOpen: { one: "Mehr als {count} Treffer", other: "Mehr als {count} Treffer" },
    noHits: "Nichts gefunden",
    noHitsText: "Keine Datei und kein Ordner hat einen Namen mit diesen Wörtern. Versuchen Sie weniger Wörter oder nur deren Anfänge.",
    place: "Ort",
    placeOf: "{name} liegt in {place}",
    zipOf: { one: "{count} Element als Zip", other: "{count} Elemente als Zip" },
    tooManyForZip: "Ein Download fasst höchstens {count} ausgewählte Elemente. Wählen Sie weniger aus, oder laden Sie den Ordner herunter, in dem sie liegen.",
    progress: "Fortschritt",
    triedOf: "{tried} von {count}",
    stop: "Anhalten",
    stopped: "Angehalten nach {done} von {count}.",
    someFailed: "{done} von {count} sind erledigt. {reason}",
    rowMenu: "Aktionen für {name}",
    folder: "Ordner",
    selected: { one: "{count} ausgewählt", other: "{count} ausgewählt" },
    clear: "Auswahl aufheben",
    emptyTitle: "Noch ist nichts hier",
    emptyText: "Ziehen Sie Dateien oder ganze Ordner irgendwo auf diese Seite oder wählen Sie sie aus.",
    emptyFolderTitle: "Dieser Ordner ist leer",
    dropHere: "Loslassen, um in {name} hochzuladen",
    more: "Mehr anzeigen",
    seeking: { one: "Auf dem Weg zum Ende: bisher {count}", other: "Auf dem Weg zum Ende: bisher {count}" },
    layout: "Darstellung",
    asList: "Liste",
    asGrid: "Raster",
    listOf: "Inhalt von {name}",
    keys: "Tasten: Pfeile bewegen, Leertaste wählt aus, Strg+A wählt alles aus, Esc hebt die Auswahl auf, Eingabe öffnet, F2 benennt um, Entf legt in den Papierkorb.",
    uploads: "Hochladen",
    allUploads: "Alles zusammen",
    uploading: { one: "{count} Datei wird hochgeladen", other: "{count} Dateien werden hochgeladen" },
    uploaded: { one: "{count} Datei hochgeladen", other: "{count} Dateien hochgeladen" },
    uploadsFailed: { one: "{count} Datei kam nicht an", other: "{count} Dateien kamen nicht an" },
    downloads: "Downloads",
    downloading: "Wird heruntergeladen",
    downloadFailed: "Der Download ist fehlgeschlagen",
    downloaded: "Heruntergeladen",
    downloadCancelled: "Der Download wurde abgebrochen",
    preparing: "Wird vorbereitet …",
    received: "{size} empfangen",
    goFiles: { one: "{count} Datei ({size})", other: "{count} Dateien ({size})" },
    goFilesNone: "Keine Dateien: Sie haben hier keine",
    goFilesMany: "Alle Ihre Dateien: mehr als {count}",
    goFilesAll: "Alle Ihre Dateien und Ordner",
    goFilesCounting: "Alle Ihre Dateien (werden gezählt …)",
    notUploaded: "Nicht hochgeladen",
    underWay: "Unterwegs",
    arrived: { one: "{count} fertig", other: "{count} fertig" },
    retryAll: "Alle noch einmal",
    cancelAll: "Alle abbrechen",
    others: { one: "und {count} weitere", other: "und {count} weitere" },
    finishing: "Wird gespeichert …",
    became: "Der Name war vergeben: hochgeladen unter diesem",
    takenFile: "Der Name ist vergeben",
    takenFolder: "Der Name eines Ordners ist vergeben",
    takenThere: "Schon hier",
    takenNew: "Neu",
    takenComing: "Wird gerade hochgeladen",
    takenText: "„Beide behalten“ gibt dem neuen eine Nummer. „Überspringen“ lässt es weg.",
    filesInside: { one: "{count} Datei darin", other: "{count} Dateien darin" },
    keepBoth: "Beide behalten",
    skip: "Überspringen",
    forAll: { one: "Für alle {count} so machen", other: "Für alle {count} so machen" },
    skipped: { one: "{count} übersprungen.", other: "{count} übersprungen." },
    details: "Liste zeigen",
    less: "Liste verbergen",
    closeUploads: "Liste schließen",
    progressOf: "Fortschritt von {name}",
    sentOf: "{sent} von {size}",
    held: "Der Server ist ausgelastet. Das Hochladen geht von selbst weiter.",
    state_asking: "Name wird geprüft",
    asked: "Wartet auf Ihre Antwort",
    state_waiting: "Wartet",
    state_sending: "Wird hochgeladen",
    state_done: "Hochgeladen",
    state_failed: "Fehlgeschlagen",
    state_cancelled: "Abgebrochen",
    cancel: "Abbrechen",
    cancelOf: "{name} abbrechen",
    retry: "Noch einmal",
    retryOf: "{name} noch einmal versuchen",
    takenReplace: "„Ersetzen“ setzt das neue an seine Stelle, das alte wird eine Version.",
    takenGone: "„Ersetzen“ setzt das neue an seine Stelle. Das alte ist dann endgültig weg: Dieser Server hebt keine Versionen auf.",
    takenPlace: "„Ersetzen“ setzt das neue an seine Stelle.",
    replace: "Ersetzen",
    uploadsPaused: { one: "{count} Datei angehalten", other: "{count} Dateien angehalten" },
    uploadsLeft: { one: "{count} Datei unvollständig", other: "{count} Dateien unvollständig" },
    unfinished: "Unvollständig",
    unfinishedText: { one: "Wählen Sie dieselbe Datei noch einmal, dann geht es dort weiter, wo es aufhörte.", other: "Wählen Sie dieselben Dateien noch einmal, dann geht es dort weiter, wo es aufhörte." },
    chooseFiles: { one: "Datei wählen", other: "Dateien wählen" },
    otherFile: { one: "„{name}“ ist nicht dieselbe Datei: Name, Größe oder Zeit sind anders.", other: "{count} Dateien gehören nicht dazu, etwa „{name}“: Name, Größe oder Zeit sind anders." },
    discard: "Verwerfen",
    discardOf: "{name} verwerfen",
    discardTitle: "Dieses Hochladen verwerfen?",
    discardText: "Was davon angekommen ist, wird gelöscht. Die Datei auf Ihrem Gerät bleibt.",
    pause: "Anhalten",
    pauseOf: "{name} anhalten",
    resume: "Fortsetzen",
    resumeOf: "{name} fortsetzen",
    lost: "Die Verbindung ist weg. Das Hochladen geht von selbst weiter.",
    state_paused: "Angehalten",
    versions: "Versionen",
    versionNow: "Aktuelle Version",
    versionUntil: "ersetzt {time}",
    versionsNone: "Es gibt keine früheren Versionen. Jedes Mal, wenn Sie die Datei beim Hochladen ersetzen, wird ihr alter Inhalt eine.",
    versionsOff: "Es gibt keine früheren Versionen. Dieser Server hebt keine auf: Was Sie ersetzen, ist endgültig weg.",
    versionsRoom: "Versionen brauchen Platz in Ihrem Speicher.",
    versionMenu: "Aktionen für die Version: {time}",
    versionRestored: "Wiederhergestellt. Was vorher aktuell war, ist jetzt eine Version.",
    versionDelete: "Diese Version endgültig löschen?",
    versionOf: "{time}, {size}",
    storage: "Speicher",
    storageText: "Was Ihren Platz braucht, und wo Sie welchen schaffen können.",
    storageUsed: "Belegter Speicher",
    used: "{used} belegt",
    usedOf: "{used} von {whole} belegt",
    storageNoLimit: "Ihr Konto hat keine Grenze.",
    storageFull: "Ihr Speicher ist voll. Löschen Sie etwas endgültig, oder leeren Sie den Papierkorb.",
    storageNearlyFull: "Ihr Speicher ist fast voll.",
    storageFiles: "Dateien",
    storageFilesText: { one: "{count} Datei", other: "{count} Dateien" },
    storageVersions: "Versionen",
    storageVersionsText: { one: "{count} frühere Version. Sie finden sie im Menü der Datei.", other: "{count} frühere Versionen. Sie finden sie in den Menüs der Dateien." },
    storageTrash: "Papierkorb",
    storageTrashText: { one: "{count} Datei. Sie braucht Platz, bis sie endgültig gelöscht ist.", other: "{count} Dateien. Sie brauchen Platz, bis sie endgültig gelöscht sind." },
    storageOpen: "Unvollständig hochgeladen",
    storageOpenText: { one: "{count} Datei. Ihr Platz wird freigehalten.", other: "{count} Dateien. Ihr Platz wird freigehalten." },
    storageOpenHow: "Um fortzufahren, wählen Sie dieselbe Datei noch einmal in dem Browser, in dem Sie begonnen haben. Um den Platz frei zu machen, verwerfen Sie sie.",
    storageShared: "Kopien teilen ihren Inhalt: Er braucht nur einmal Platz und zählt oben an jeder Stelle.",
    filesOf: "{count} von {whole} Dateien",
    goesOn: "aufgehoben bis {time}",
    largest: "Größte Dateien",
    showIn: "{name}, in {folder} zeigen",
    toStorage: "Ansehen, was Platz braucht",
    damaged: "Beschädigt",
    unreadable: "Der Browser konnte nicht lesen, was Sie abgelegt haben.",
    pointSealed: "Verschlüsselt gespeichert",
    pointSealedText: "Namen und Inhalte werden verschlüsselt, bevor sie geschrieben werden. Wer nur die Datenbank kopiert, kann sie nicht lesen.",
    pointSimple: "Einfach zu bedienen",
    pointSimpleText: "Dateien und ganze Ordner hineinziehen, umbenennen, verschieben, herunterladen: mit Maus, Finger oder Tastatur."
  }
});
var problems5 = catalog({
  en: {
    too_large: "This is larger than the server takes.",
    quota_exceeded: "There is no room left for this in your storage.",
    folder_cycle: "A folder cannot be moved into itself.",
    is_folder: "A folder cannot be downloaded as a file.",
    no_thumbnail: "This file has no small picture.",
    damaged: "A file is damaged and cannot be copied. Delete it first.",
    field_invalid_utf8: "This holds characters that cannot be read. Type it anew.",
    too_many_entries: "These are too many files and folders to copy at once.",
    too_deep: "There are too many folders inside one another here.",
    too_many_files: "These are too many files for one upload.",
    upload_gone: "The upload stood still for too long. Try again.",
    upload_taken_over: "This upload goes on elsewhere, in another window or on another device.",
    offset_mismatch: "This upload goes on elsewhere, in another window or on another device.",
    checksum_mismatch: "The file arrived damaged. Try again.",
    folder_gone: "The folder for it is gone. Upload it into another one.",
    too_many_parts: "The connection broke too often. Upload the file anew.",
    too_many_uploads: "Too many uploads are unfinished. Finish or discard one first.",
    invalid_header: "The page sent something that the server does not understand. Reload the page and try again.",
    invalid_content_type: "The page sent something that the server does not understand. Reload the page and try again.",
    tus_version: "The page sent something that the server does not understand. Reload the page and try again.",
    upload_expired: "The upload stood still for too long. Try again.",
    precondition_failed: "The file was changed meanwhile. Reload the page.",
    range_not_satisfiable: "The file was changed meanwhile. Download it again.",
    file_changed: "The file was changed, moved or deleted on your device. Choose it again.",
    not_in_trash: "This is no longer in the trash. It was restored or deleted for good.",
    field_slash: "A name cannot hold a slash or a backslash.",
    field_dots: "A name cannot be dots alone.",
    field_control_character: "Remove invisible characters from the name.",
    field_bidi_control: "Remove characters from the name that turn the direction of writing.",
    field_not_a_folder: "Choose a folder.",
    field_too_late: "The page sent its fields in the wrong order. Reload it and try again."
  },
  de: {
    too_large: "Das ist größer, als der Server annimmt.",
    quota_exceeded: "Dafür reicht der Platz in Ihrem Speicher nicht.",
    folder_cycle: "Ein Ordner lässt sich nicht in sich selbst verschieben.",
    is_folder: "Ein Ordner lässt sich nicht als Datei herunterladen.",
    no_thumbnail: "Zu dieser Datei gibt es kein kleines Bild.",
    damaged: "Eine Datei ist beschädigt und lässt sich nicht kopieren. Löschen Sie sie erst.",
    field_invalid_utf8: "Das enthält Zeichen, die sich nicht lesen lassen. Geben Sie es neu ein.",
    too_many_entries: "Das sind zu viele Dateien und Ordner, um sie auf einmal zu kopieren.",
    too_deep: "Hier liegen zu viele Ordner ineinander.",
    too_many_files: "Das sind zu viele Dateien auf einmal.",
    upload_gone: "Das Hochladen stand zu lange still. Versuchen Sie es noch einmal.",
    upload_taken_over: "Das Hochladen geht anderswo weiter, in einem anderen Fenster oder auf einem anderen Gerät.",
    offset_mismatch: "Das Hochladen geht anderswo weiter, in einem anderen Fenster oder auf einem anderen Gerät.",
    checksum_mismatch: "Die Datei kam beschädigt an. Versuchen Sie es noch einmal.",
    folder_gone: "Den Ordner dafür gibt es nicht mehr. Laden Sie die Datei in einen anderen hoch.",
    too_many_parts: "Die Verbindung brach zu oft ab. Laden Sie die Datei neu hoch.",
    too_many_uploads: "Zu viele Dateien sind unvollständig hochgeladen. Bringen Sie erst eine zu Ende, oder verwerfen Sie eine.",
    invalid_header: "Die Seite hat etwas gesendet, das der Server nicht versteht. Laden Sie sie neu und versuchen Sie es noch einmal.",
    invalid_content_type: "Die Seite hat etwas gesendet, das der Server nicht versteht. Laden Sie sie neu und versuchen Sie es noch einmal.",
    tus_version: "Die Seite hat etwas gesendet, das der Server nicht versteht. Laden Sie sie neu und versuchen Sie es noch einmal.",
    upload_expired: "Das Hochladen stand zu lange still. Versuchen Sie es noch einmal.",
    precondition_failed: "Die Datei wurde inzwischen geändert. Laden Sie die Seite neu.",
    range_not_satisfiable: "Die Datei wurde inzwischen geändert. Laden Sie sie noch einmal herunter.",
    file_changed: "Die Datei wurde auf Ihrem Gerät geändert, verschoben oder gelöscht. Wählen Sie sie noch einmal aus.",
    not_in_trash: "Das liegt nicht mehr im Papierkorb. Es wurde wiederhergestellt oder endgültig gelöscht.",
    field_slash: "Ein Name kann keinen Schrägstrich enthalten.",
    field_dots: "Ein Name kann nicht nur aus Punkten bestehen.",
    field_control_character: "Entfernen Sie unsichtbare Zeichen aus dem Namen.",
    field_bidi_control: "Entfernen Sie Zeichen aus dem Namen, die die Schreibrichtung umkehren.",
    field_not_a_folder: "Wählen Sie einen Ordner.",
    field_too_late: "Die Seite hat ihre Felder in falscher Reihenfolge gesendet. Laden Sie sie neu und versuchen Sie es noch einmal."
  }
});

// src/file/work.tsx
function useWork() {
  const [working, setWorking] = d2();
  const stop = T2(void 0);
  return {
    working,
    stop: () => stop.current?.abort(),
    async run(items, work4) {
      const { signal } = stop.current = new AbortController();
      setWorking({ tried: 0, count: items.length });
      try {
        return await each(items, (item) => work4(item, signal), { signal, progress: (tried) => setWorking({ tried, count: items.length }) });
      } finally {
        setWorking(void 0);
      }
    }
  };
}
function Progress2({ working }) {
  if (!working || working.count < 2) return null;
  return /* @__PURE__ */ a4("div", { class: "working", children: [
    /* @__PURE__ */ a4("progress", { value: working.tried, max: working.count, "aria-label": t8("progress") }),
    /* @__PURE__ */ a4("p", { class: "hint", children: t8("triedOf", { tried: working.tried, count: working.count }) })
  ] });
}
function report(out, count2, done, undo) {
  const { failed, left: left2 } = out;
  if (failed.length === 0 && left2.length === 0) return done();
  if (count2 === 1 && failed[0]) throw failed[0].problem;
  const act = out.done.length > 0 ? undo : void 0;
  if (failed.length === 0) return toast(t8("stopped", { done: out.done.length, count: count2 }), true, act);
  toast(t8("someFailed", { done: out.done.length, count: count2, reason: say(failed[0].problem) }), true, act);
}
async function workNow(title, count2, run2) {
  await ask((close) => /* @__PURE__ */ a4(Now, { title, count: count2, run: run2, onClose: close }));
}
function Now({ title, count: count2, run: run2, onClose }) {
  const work4 = useWork();
  const [slow, setSlow] = d2(false);
  F2(() => {
    const timer2 = setTimeout(() => setSlow(true), 600);
    run2(work4).catch((err2) => toastProblem(asProblem(err2))).finally(onClose);
    return () => clearTimeout(timer2);
  }, []);
  if (!slow || count2 < 2) return null;
  return /* @__PURE__ */ a4(Dialog, { title, onClose: work4.stop, children: [
    /* @__PURE__ */ a4(Progress2, { working: work4.working }),
    /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: work4.stop, children: t8("stop") })
  ] });
}

// src/file/bin.tsx
var bin = "trash";
function brief(name) {
  const [head, tail] = cut(name);
  return head.length > 24 ? head.slice(0, 20) + "…" + tail : name;
}
var gone = (err2) => {
  if (asProblem(err2).code !== "not_found") throw err2;
};
var emptied = (err2) => {
  throw asProblem(err2).code === "not_found" ? new Problem({ status: 404, code: "not_in_trash" }) : err2;
};
async function discard(entries2, onDone) {
  await workNow(t8("discarding", { count: entries2.length }), entries2.length, async (work4) => {
    const out = await work4.run(entries2, (entry4) => del("/files/{id}", { path: { id: entry4.id } }).catch(gone));
    void onDone(out.done);
    refreshFolder(bin);
    const undo = { label: t8("undo"), run: () => void restore(out.done) };
    report(out, entries2.length, () => toast(t8("discarded", { count: entries2.length, name: brief(entries2[0].name) }), false, undo), undo);
  });
}
async function restore(entries2, onDone) {
  await workNow(t8("restoring", { count: entries2.length }), entries2.length, async (work4) => {
    const numbered = [];
    const out = await work4.run(entries2, async (entry4) => {
      const back = await post("/trash/{id}/restore", { path: { id: entry4.id } }).catch(emptied);
      if (back.name !== entry4.name) numbered.push(back.name);
    });
    void onDone?.(out.done);
    refreshFolder();
    report(out, entries2.length, () => toast(t8("restored", { count: entries2.length })));
    if (numbered.length > 0) toast(t8("movedNumbered", { count: numbered.length, name: numbered[0] }));
  });
}
function ForGood({ entries: entries2, onClose, onDone }) {
  const work4 = useWork();
  const one = entries2.length === 1 ? entries2[0] : void 0;
  return /* @__PURE__ */ a4(Confirm, { title: one ? t8("deleteOne") : t8("deleteMany", { count: entries2.length }), action: t8("deleteForGood"), onClose: work4.working ? work4.stop : onClose, onConfirm: async () => {
    const out = await work4.run(entries2, (entry4) => del("/trash/{id}", { path: { id: entry4.id } }).catch(gone));
    await onDone(out.done);
    report(out, entries2.length, () => toast(t8("deleted", { count: entries2.length })));
    onClose();
  }, children: [
    one && /* @__PURE__ */ a4("p", { class: "long-name", children: one.name }),
    /* @__PURE__ */ a4("p", { children: entries2.some((e4) => e4.kind === "folder") ? t8("deleteFolderText") : t8("deleteText") }),
    /* @__PURE__ */ a4(Progress2, { working: work4.working })
  ] });
}
function EmptyTrash({ onClose, onDone }) {
  return /* @__PURE__ */ a4(Confirm, { title: t8("emptyTrashTitle"), action: t8("emptyTrash"), onClose, onConfirm: async () => {
    await del("/trash");
    await onDone();
    toast(t8("emptied"));
  }, children: /* @__PURE__ */ a4("p", { children: t8("emptyTrashText") }) });
}

// src/file/tree.ts
function list(folder3, sort, cursor, signal, limit = 100) {
  return get("/files", { query: { parent: folder3, sort: `${sort.down ? "-" : ""}${sort.by}`, limit, cursor }, signal });
}
async function path2(id, signal) {
  const way = [];
  for (let at = id; at; ) {
    const entry4 = await get("/files/{id}", { path: { id: at }, signal });
    way.unshift(entry4);
    at = entry4.parent;
  }
  return way;
}
async function everything(folder3, { sort = { by: "name", down: false }, cursor, signal, seen } = {}) {
  const all2 = [];
  do {
    const page2 = await list(folder3, sort, cursor, signal, 200);
    all2.push(...page2.items);
    seen?.(all2.length);
    cursor = page2.next_cursor || void 0;
  } while (cursor);
  return all2;
}
async function everyFolder2(parent2, signal) {
  return (await everything(parent2, { signal })).filter((e4) => e4.kind === "folder");
}

// src/file/choose.tsx
function Chooser({ here: here2 = "", stuck, barred, below: below2, target: target2, pick: pick3 }) {
  const { data: above, problem: problem2 } = useLoad(() => path2(here2), [here2]);
  const opened = /* @__PURE__ */ new Set(["", ...(above ?? []).map((e4) => e4.id)]);
  return /* @__PURE__ */ a4("fieldset", { class: "tree", children: [
    /* @__PURE__ */ a4("legend", { children: t8("where") }),
    problem2 ? /* @__PURE__ */ a4(Failed, { problem: problem2 }) : above && /* @__PURE__ */ a4("ul", { children: /* @__PURE__ */ a4(Branch, { id: "", name: t8("files"), opened, stuck, barred, below: below2, target: target2?.id, pick: pick3 }) })
  ] });
}
var none = /* @__PURE__ */ new Set();
var Choose = (props) => /* @__PURE__ */ a4(Chooser, { here: void 0, stuck: none, ...props });
function Branch({ id, name, opened, stuck: all2, barred, below: below2, target: target2, pick: pick3 }) {
  const [open2, setOpen] = d2(opened.has(id));
  const stuck = all2.has(id);
  return /* @__PURE__ */ a4("li", { children: [
    /* @__PURE__ */ a4("div", { class: "branch", children: [
      /* @__PURE__ */ a4("button", { type: "button", class: "icon-button small", "aria-expanded": open2 && !stuck, disabled: stuck, "aria-label": t8("foldersIn", { name }), onClick: () => setOpen(!open2), children: /* @__PURE__ */ a4(Icon, { name: "chevron", class: open2 && !stuck ? "down" : void 0 }) }),
      /* @__PURE__ */ a4("label", { class: target2 === id ? "chosen" : void 0, children: [
        /* @__PURE__ */ a4("input", { type: "radio", name: "target", value: id, required: true, checked: target2 === id, disabled: stuck || id === barred || below2 && id === "", onChange: () => pick3({ id, name }) }),
        /* @__PURE__ */ a4(Icon, { name: "folder" }),
        " ",
        /* @__PURE__ */ a4(Name, { name, read: true }),
        " ",
        id === barred && /* @__PURE__ */ a4("span", { class: "hint", children: t8("isHere") })
      ] })
    ] }),
    open2 && !stuck && /* @__PURE__ */ a4(Twigs, { id, opened, stuck: all2, barred, below: below2, target: target2, pick: pick3 })
  ] });
}
function Twigs(props) {
  const { data, problem: problem2, reload } = useLoad((signal) => everyFolder2(props.id, signal), [props.id]);
  if (problem2) return /* @__PURE__ */ a4(Failed, { problem: problem2, retry: reload });
  if (data?.length === 0) return props.id === "" ? /* @__PURE__ */ a4("p", { class: "hint", children: t8("noFolders") }) : null;
  return /* @__PURE__ */ a4("ul", { children: data?.map((f5) => /* @__PURE__ */ k(Branch, { ...props, key: f5.id, id: f5.id, name: f5.name })) });
}

// src/file/listing.ts
var unit = 100;
var left = /* @__PURE__ */ new Map();
var leftMost = 5;
function startListings() {
  x2(() => {
    if (auth.value.is !== "in") left.clear();
  });
}
function leave2(held4) {
  if (!held4 || held4.items.length <= unit) return;
  left.delete(held4.of);
  left.set(held4.of, held4);
  if (left.size > leftMost) left.delete(left.keys().next().value);
}
function useListing(of, read7, changes3, pages2 = 1) {
  const [held4, setHeld] = d2();
  const [problem2, setProblem] = d2();
  const latest = T2(void 0);
  const now = T2({ of: "", wanted: 0, end: false, busy: false, reading: 0, took: 0 });
  const running7 = T2(void 0);
  function put2(to) {
    latest.current = to;
    setHeld(to);
  }
  async function reload() {
    running7.current?.abort();
    const { signal } = running7.current = new AbortController();
    const mine2 = now.current;
    mine2.reading++;
    const began = performance.now();
    try {
      const items = [];
      const seen = /* @__PURE__ */ new Set();
      let next;
      do {
        const page2 = await read7(next, items.length === 0 ? unit : 2 * unit, signal);
        for (const e4 of page2.items) if (!seen.has(e4.id) && seen.add(e4.id)) items.push(e4);
        next = page2.next_cursor || void 0;
        if (signal.aborted) return;
      } while (next && (mine2.end || items.length < mine2.wanted));
      mine2.wanted = items.length;
      mine2.end = !next;
      mine2.took = performance.now() - began;
      put2({ of: mine2.of, items, next });
      setProblem(void 0);
    } catch (err2) {
      if (!signal.aborted) setProblem(asProblem(err2));
    }
  }
  A2(() => {
    const known4 = pages2 > 1 ? left.get(of) : void 0;
    now.current = { of, wanted: known4?.items.length ?? pages2 * unit, end: known4 !== void 0 && !known4.next, busy: false, reading: 0, took: 0 };
    put2(known4);
    setProblem(void 0);
    void reload();
    return () => {
      running7.current?.abort();
      leave2(latest.current);
    };
  }, [of]);
  const newest = T2(changes3);
  newest.current = changes3;
  const known3 = T2({ of, changes: changes3 });
  if (known3.current.of !== of) known3.current = { of, changes: changes3 };
  const timer2 = T2(void 0);
  A2(() => {
    if (known3.current.changes === changes3 || timer2.current !== void 0) return;
    timer2.current = setTimeout(() => {
      timer2.current = void 0;
      known3.current.changes = newest.current;
      void reload();
    }, Math.max(250, 4 * now.current.took));
  }, [changes3, of]);
  A2(() => () => {
    clearTimeout(timer2.current);
    timer2.current = void 0;
  }, [of]);
  function append(to, some, next) {
    const there = new Set(to.items.map((e4) => e4.id));
    const items = [...to.items, ...some.filter((e4) => !there.has(e4.id))];
    now.current.wanted = items.length;
    now.current.end = !next;
    put2({ of: to.of, items, next });
  }
  async function more() {
    const mine2 = now.current;
    const { reading: reading2 } = mine2;
    const from = latest.current;
    if (mine2.busy || !from?.next) return;
    mine2.busy = true;
    try {
      const page2 = await read7(from.next, 2 * unit);
      if (now.current !== mine2 || mine2.reading !== reading2 || latest.current.next !== from.next) return;
      append(latest.current, page2.items, page2.next_cursor || void 0);
      setProblem(void 0);
    } catch (err2) {
      if (now.current === mine2) setProblem(asProblem(err2));
    } finally {
      mine2.busy = false;
    }
  }
  async function rest(signal, seen, most6 = Infinity) {
    const mine2 = now.current;
    const { reading: reading2 } = mine2;
    const some = [];
    let next = latest.current?.next;
    while (next && some.length < most6) {
      const page2 = await read7(next, 2 * unit, signal);
      some.push(...page2.items);
      next = page2.next_cursor || void 0;
      seen(some.length);
    }
    signal.throwIfAborted();
    if (now.current !== mine2 || !latest.current) return [];
    if (mine2.reading !== reading2) {
      mine2.wanted = latest.current.items.length + some.length;
      mine2.end = !next;
      await reload();
    } else if (some.length > 0 && latest.current.next) {
      append(latest.current, some, next);
    }
    return latest.current.items;
  }
  const data = held4?.of === of ? held4 : void 0;
  return {
    items: data?.items,
    more: data?.next === void 0 ? void 0 : more,
    // there is more to read
    // How many there are in all, where that is known.
    total: data && !data.next ? data.items.length : void 0,
    pages: () => Math.ceil((latest.current?.items.length ?? 0) / unit) || 1,
    problem: problem2,
    reload,
    rest,
    // without takes out what is gone already, so that nobody waits for the next reading.
    without(gone3) {
      if (gone3.length === 0 || !latest.current) return;
      const ids4 = new Set(gone3.map((e4) => e4.id));
      put2({ ...latest.current, items: latest.current.items.filter((e4) => !ids4.has(e4.id)) });
    }
  };
}

// src/file/loss.tsx
var enough = 1e4;
function FilesGo() {
  const [count2, setCount] = d2();
  A2(() => {
    const stop = new AbortController();
    countFiles(stop.signal).then(setCount, () => stop.signal.aborted || setCount("unknown"));
    return () => stop.abort();
  }, []);
  return /* @__PURE__ */ a4("li", { children: words(count2) });
}
function words(count2) {
  if (!count2) return t8("goFilesCounting");
  if (count2 === "unknown") return t8("goFilesAll");
  if (count2.more) return t8("goFilesMany", { count: count2.files });
  return count2.files === 0 ? t8("goFilesNone") : t8("goFiles", { count: count2.files, size: size(count2.bytes) });
}
async function countFiles(signal) {
  const count2 = { files: 0, bytes: 0, more: false };
  const folders2 = [""];
  for (let folder3 = folders2.pop(); folder3 !== void 0; folder3 = folders2.pop()) {
    for (const entry4 of await everything(folder3, { signal })) {
      if (entry4.kind === "folder") {
        folders2.push(entry4.id);
        continue;
      }
      count2.files++;
      count2.bytes += entry4.size;
    }
    if (count2.files >= enough) return { ...count2, more: true };
  }
  return count2;
}

// src/file/dialogs.tsx
function NewFolder({ parent: parent2, onClose, onDone }) {
  return /* @__PURE__ */ a4(Dialog, { title: t8("newFolder"), onClose, children: /* @__PURE__ */ a4(Form, { submit: t8("create"), onCancel: onClose, onSubmit: async (v4) => {
    const made3 = await post("/files/folders", { body: { name: v4.name, ...parent2 && { parent: parent2 } } });
    onClose();
    if (made3.name !== v4.name.normalize("NFC")) toast(t8("numbered", { name: made3.name }));
    await onDone([]);
  }, children: /* @__PURE__ */ a4(Field, { name: "name", label: t8("name"), required: true, autoFocus: true, autoComplete: "off", maxLength: 255 }) }) });
}
function Rename2({ entry: entry4, onClose, onDone }) {
  return /* @__PURE__ */ a4(Dialog, { title: entry4.kind === "folder" ? t8("renameFolder") : t8("renameFile"), onClose, children: /* @__PURE__ */ a4(Form, { submit: t8("rename"), onCancel: onClose, onSubmit: async (v4) => {
    const wanted4 = v4.name.normalize("NFC");
    const changed3 = wanted4 === entry4.name ? entry4 : await patch("/files/{id}", { path: { id: entry4.id }, body: { name: v4.name } });
    onClose();
    if (changed3.name !== wanted4) toast(entry4.kind === "folder" ? t8("numbered", { name: changed3.name }) : t8("numberedFile", { name: changed3.name }));
    await onDone([]);
  }, children: /* @__PURE__ */ a4(Field, { name: "name", label: t8("name"), value: entry4.name, required: true, autoFocus: true, selectName: entry4.kind === "file", autoComplete: "off", maxLength: 255 }) }) });
}
async function relocate(kind, work4, entries2, to, onDone) {
  const numbered = [];
  const out = await work4.run(entries2, async (entry4) => {
    const made3 = kind === "move" ? await patch("/files/{id}", { path: { id: entry4.id }, body: { parent: to.id } }) : await post("/files/{id}/copy", { path: { id: entry4.id }, body: { parent: to.id } });
    if (made3.name !== entry4.name) numbered.push(made3.name);
  });
  await onDone(kind === "move" ? out.done : []);
  report(out, entries2.length, () => toast(kind === "move" ? t8("moved", { count: entries2.length, folder: to.name }) : t8("copied", { count: entries2.length, folder: to.name })));
  if (numbered.length > 0) toast(t8("movedNumbered", { count: numbered.length, name: numbered[0] }));
}
function Relocate({ kind, entries: entries2, here: here2, onClose, onDone }) {
  const [target2, setTarget] = d2();
  const work4 = useWork();
  const close = work4.working ? work4.stop : onClose;
  const one = entries2.length === 1 ? entries2[0] : void 0;
  const title = kind === "move" ? one ? t8("moveOne") : t8("moveMany", { count: entries2.length }) : one ? t8("copyOne") : t8("copyMany", { count: entries2.length });
  return /* @__PURE__ */ a4(Dialog, { title, onClose: close, children: /* @__PURE__ */ a4(Form, { submit: kind === "move" ? t8("moveHere") : t8("copyHere"), onCancel: close, onSubmit: async () => {
    if (!target2) return;
    await relocate(kind, work4, entries2, target2, onDone);
    onClose();
  }, children: [
    one && /* @__PURE__ */ a4("p", { class: "long-name", children: one.name }),
    /* @__PURE__ */ a4(Chooser, { here: here2, stuck: new Set(entries2.map((e4) => e4.id)), barred: kind === "move" ? here2 : void 0, target: target2, pick: setTarget }),
    /* @__PURE__ */ a4(Progress2, { working: work4.working })
  ] }) });
}
async function moveNow(entries2, to, onDone) {
  await workNow(t8("moveMany", { count: entries2.length }), entries2.length, (work4) => relocate("move", work4, entries2, to, onDone));
}

// src/file/pick.ts
function pick2({ folder: folder3 = false }, take4) {
  const field = document.createElement("input");
  field.type = "file";
  field.multiple = true;
  field.webkitdirectory = folder3;
  field.hidden = true;
  field.addEventListener("change", () => {
    field.remove();
    take4([...field.files]);
  });
  field.addEventListener("cancel", () => field.remove());
  document.body.append(field);
  field.click();
}

// src/file/taken.ts
var same = (name) => name.normalize("NFC");
async function settle(clashes, question2, replaceable2) {
  const answers = [];
  let all2;
  let rest;
  const known3 = (clash) => all2 === "replace" && !replaceable2(clash) ? rest : all2;
  for (const [at, clash] of clashes.entries()) {
    let answer = known3(clash);
    if (!answer) {
      const reply = await question2(clash, clashes.slice(at).filter((c4) => !known3(c4)).length);
      answer = reply.answer;
      if (reply.all && all2) rest = answer;
      else if (reply.all) all2 = answer;
    }
    answers.push(answer);
  }
  return answers;
}
function inTurn() {
  let last3 = Promise.resolve();
  return (work4) => {
    const mine2 = last3.then(work4);
    last3 = mine2.catch(() => void 0);
    return mine2;
  };
}

// src/file/upload-model.ts
var resumableFrom = 4 << 20;
var resumable = (u4) => u4.key !== void 0 || u4.size > resumableFrom;
var uploads = y3([]);
var runs = (u4) => u4.state.value === "asking" || u4.state.value === "waiting" || u4.state.value === "sending";
var active2 = O(() => uploads.value.filter(runs).length);
var run = y3(0);
function begin2() {
  if (active2.peek() > 0) return;
  run.value++;
  meter.start(performance.now(), moved2);
}
var totals = O(() => {
  let size2 = 0, sent = 0;
  for (const u4 of uploads.value) {
    const state = u4.state.value;
    if (u4.run !== run.value || !(runs(u4) || state === "done")) continue;
    size2 += u4.size;
    sent += state === "done" ? u4.size : u4.sent.value;
  }
  return { size: size2, sent };
});
var clock2 = y3(0);
var meter = new Meter();
var moved2 = 0;
function went(u4, sent) {
  moved2 += Math.max(0, sent - u4.sent.peek());
  u4.sent.value = sent;
  u4.meter.note(performance.now(), sent);
  meter.note(performance.now(), moved2);
}
function stands(u4, offset) {
  u4.offset = offset;
  u4.sent.value = offset;
  u4.meter.start(performance.now(), offset);
}
var ids = 0;
function made(file3, more) {
  return {
    id: ++ids,
    file: file3,
    shown: y3([...more.path, more.name].join("/")),
    state: y3("asking"),
    sent: y3(0),
    held: y3(void 0),
    problem: y3(void 0),
    became: y3(false),
    meter: new Meter(),
    settled: false,
    replace: false,
    alone: false,
    run: run.peek(),
    offset: 0,
    ...more
  };
}
function release(u4) {
  u4.settled = true;
  u4.held.value = void 0;
  if (u4.state.peek() === "asking") u4.state.value = "waiting";
}
function fail(u4, problem2) {
  u4.problem.value = problem2;
  u4.state.value = problem2.code === "cancelled" ? "cancelled" : "failed";
}
var Folders = class {
  constructor(root) {
    this.root = root;
  }
  root;
  #made = /* @__PURE__ */ new Map();
  id(path3) {
    if (path3.length === 0) return Promise.resolve({ id: this.root, path: [] });
    const key3 = path3.join("/");
    let made3 = this.#made.get(key3);
    if (!made3) {
      made3 = this.#make(path3);
      made3.catch(() => this.#made.delete(key3));
      this.#made.set(key3, made3);
    }
    return made3;
  }
  async #make(path3) {
    const parent2 = await this.id(path3.slice(0, -1));
    const name = path3.at(-1);
    const folder3 = await post("/files/folders", { body: { name, ...parent2.id && { parent: parent2.id } } });
    if (folder3.name !== same(name)) toast(t8("numbered", { name: folder3.name }));
    refreshFolder(parent2.id);
    return { id: folder3.id, path: [...parent2.path, folder3.name] };
  }
};

// src/file/upload-form.ts
var many = 8;
var most = 50;
var small = 256 << 10;
function together(next, waiting3) {
  const fits2 = (u4) => !u4.alone && u4.key === void 0 && u4.size <= small && u4.folders === next.folders && u4.path.join("/") === next.path.join("/") && u4.replace === next.replace;
  const all2 = fits2(next) ? waiting3.filter(fits2) : [];
  return all2.length < many ? [next] : all2.slice(0, most);
}
function sendForm(list2, folder3, signal) {
  return withToken(async (token2) => {
    const to = address("/files", { parent: folder3, replace: list2[0].replace || void 0 });
    const authorization = "Bearer " + token2;
    return transmit(list2, to, { Authorization: authorization, ...await proof("post", to, authorization) }, signal);
  });
}
function transmit(list2, to, headers, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(cancelled());
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    signal.addEventListener("abort", abort);
    for (const u4 of list2) stands(u4, 0);
    request.open("POST", to);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => {
      let left2 = event.loaded;
      for (const u4 of list2) {
        const sent = Math.min(u4.size, left2);
        left2 -= sent;
        went(u4, sent);
      }
    };
    request.onload = () => {
      hearTime(request.getResponseHeader("Date"));
      if (request.status >= 200 && request.status < 300) return resolve(namesOf2(parsed(request.responseText), list2.length));
      reject(problemOf(request.status, parsed(request.responseText), request.getResponseHeader("Retry-After")));
    };
    request.onerror = () => reject(offline());
    request.onabort = () => reject(cancelled());
    request.onloadend = () => signal.removeEventListener("abort", abort);
    const form = new FormData();
    for (const u4 of list2) form.append("file", u4.file, u4.file.name);
    request.send(form);
  });
}
function parsed(text2) {
  try {
    return JSON.parse(text2);
  } catch {
    return void 0;
  }
}
function namesOf2(answer, count2) {
  const items = answer?.items;
  return Array.from({ length: count2 }, (_4, i4) => {
    const name = items?.[i4]?.name;
    return typeof name === "string" ? name : void 0;
  });
}

// src/file/upload-left.ts
var stored6 = "coffer.uploads";
var kept2 = 30 * 864e5;
function memories() {
  try {
    return JSON.parse(localStorage.getItem(stored6) ?? "{}");
  } catch {
    return {};
  }
}
function remember(change) {
  const all2 = memories();
  change(all2);
  for (const [key3, { begun: begun3 }] of Object.entries(all2)) if (!(begun3 > Date.now() - kept2)) delete all2[key3];
  localStorage.setItem(stored6, JSON.stringify(all2));
}
var lockOf = (key3) => "coffer.upload." + key3;
var held2 = /* @__PURE__ */ new Map();
function hold2(key3) {
  if (!navigator.locks || held2.has(key3)) return Promise.resolve(true);
  return new Promise((resolve) => {
    void navigator.locks.request(lockOf(key3), { ifAvailable: true }, (lock2) => {
      resolve(lock2 !== null);
      return lock2 ? new Promise((free) => held2.set(key3, free)) : void 0;
    });
  });
}
function begun(u4, key3) {
  if (u4.key === key3) return;
  u4.key = key3;
  void hold2(key3);
  remember((all2) => {
    all2[key3] = { modified: u4.file.lastModified, begun: Date.now() };
  });
}
function over(u4) {
  const { key: key3 } = u4;
  if (!key3) return;
  u4.key = void 0;
  held2.get(key3)?.();
  held2.delete(key3);
  remember((all2) => delete all2[key3]);
}
async function leftOvers(known3) {
  const all2 = memories();
  if (Object.keys(all2).length === 0) return [];
  const { items } = await get("/uploads");
  const elsewhere = new Set(navigator.locks ? (await navigator.locks.query()).held?.map((lock2) => lock2.name) : []);
  return items.filter(({ id, size: size2 }) => size2 != null && all2[id] && !elsewhere.has(lockOf(id)) && !known3.some((u4) => u4.key === id)).map((item) => {
    const root = item.parent ?? "";
    const u4 = made(void 0, { name: item.name, size: item.size, root, top: item.name, folders: new Folders(root), path: [], settled: true, replace: item.replace, key: item.id, offset: item.offset });
    u4.state.value = "left";
    u4.sent.value = item.offset;
    return u4;
  });
}
function fits(u4, file3) {
  return u4.state.peek() === "left" && same(file3.name) === same(u4.name) && file3.size === u4.size && memories()[u4.key]?.modified === file3.lastModified;
}
async function take3(u4, file3) {
  if (!await hold2(u4.key)) return false;
  u4.file = file3;
  return true;
}
function letGo() {
  for (const free of held2.values()) free();
  held2.clear();
}

// src/file/question.tsx
async function askTaken(taken, left2) {
  let reply = { answer: "skip", all: true };
  await ask((close) => /* @__PURE__ */ a4(Question, { taken, left: left2, onReply: (r4) => {
    reply = r4;
    close();
  }, onClose: close }));
  return reply;
}
function Question({ taken, left: left2, onReply, onClose }) {
  const [all2, setAll] = d2(false);
  const { there, replaceable: replaceable2 } = taken;
  const versions = useSettings()?.versions;
  const gone3 = replaceable2 && versions === 0;
  return /* @__PURE__ */ a4(Dialog, { title: taken.folder ? t8("takenFolder") : t8("takenFile"), onClose, children: /* @__PURE__ */ a4(Form, { submit: replaceable2 ? t8("replace") : t8("keepBoth"), danger: gone3, onSubmit: async () => onReply({ answer: replaceable2 ? "replace" : "keep", all: all2 }), extra: /* @__PURE__ */ a4($, { children: [
    replaceable2 && /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => onReply({ answer: "keep", all: all2 }), children: t8("keepBoth") }),
    /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => onReply({ answer: "skip", all: all2 }), children: t8("skip") })
  ] }), children: [
    /* @__PURE__ */ a4("p", { class: "long-name", children: taken.name }),
    /* @__PURE__ */ a4("dl", { class: "taken", children: [
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("dt", { children: t8("takenThere") }),
        /* @__PURE__ */ a4("dd", { children: !there ? t8("takenComing") : there.kind === "folder" ? `${t8("folder")} · ${ago(there.modified_at)}` : `${size(there.size)} · ${ago(there.modified_at)}` })
      ] }),
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("dt", { children: t8("takenNew") }),
        /* @__PURE__ */ a4("dd", { children: taken.folder ? t8("filesInside", { count: taken.files }) : [size(taken.size), ...taken.modified ? [ago(new Date(taken.modified).toISOString())] : []].join(" · ") })
      ] })
    ] }),
    /* @__PURE__ */ a4("p", { class: "hint", children: [
      replaceable2 && `${gone3 ? t8("takenGone") : versions ? t8("takenReplace") : t8("takenPlace")} `,
      t8("takenText")
    ] }),
    left2 > 1 && /* @__PURE__ */ a4("label", { class: "taken-all", children: [
      /* @__PURE__ */ a4("input", { type: "checkbox", checked: all2, onChange: () => setAll(!all2) }),
      " ",
      t8("forAll", { count: left2 })
    ] })
  ] }) });
}

// src/file/upload-names.ts
var questions = inTurn();
var inFolder = (c4) => c4.files.length === 0 || c4.files[0].path.length > 0;
var replaceable = (c4) => !inFolder(c4) && c4.there?.kind === "file";
async function check(fresh2, root, work4, paths = [], folders2) {
  let there;
  try {
    there = new Map((await everything(root)).map((e4) => [same(e4.name), e4]));
  } catch (err2) {
    const problem2 = asProblem(err2);
    for (const u4 of fresh2) if (u4.state.peek() === "asking") fail(u4, problem2);
    if (fresh2.length === 0) toastProblem(problem2);
    return;
  }
  const coming2 = new Set(uploads.peek().filter((u4) => runs(u4) && u4.root === root && !fresh2.includes(u4) && (u4.settled || u4.id < (fresh2[0]?.id ?? 0))).map((u4) => same(u4.top)));
  const clashes = /* @__PURE__ */ new Map();
  const free = [];
  for (const u4 of fresh2) {
    const name = same(u4.top);
    const begun3 = u4.path.length > 0 && uploads.peek().some((o5) => o5.settled && o5.folders === u4.folders && o5.top === u4.top);
    if (begun3) {
      free.push(u4);
    } else if (there.has(name) || coming2.has(name)) {
      if (!clashes.has(name)) clashes.set(name, { top: u4.top, there: there.get(name), files: [] });
      clashes.get(name).files.push(u4);
    } else {
      free.push(u4);
    }
  }
  for (const [top2] of paths) {
    const name = same(top2);
    if (there.has(name) && !clashes.has(name)) clashes.set(name, { top: top2, there: there.get(name), files: [] });
  }
  for (const u4 of free) release(u4);
  const make3 = (of) => {
    for (const path3 of paths.filter(([top2]) => of(same(top2)))) {
      folders2?.id(path3).catch((err2) => {
        if (!fresh2.some((u4) => u4.top === path3[0])) toastProblem(err2);
      });
    }
  };
  make3((top2) => !clashes.has(top2));
  work4();
  if (clashes.size > 0) await questions(() => decide([...clashes.values()], make3, work4));
}
async function decide(clashes, make3, work4) {
  const open2 = clashes.filter((c4) => c4.files.length === 0 || c4.files.some((u4) => u4.state.peek() === "asking"));
  for (const { files } of open2) for (const u4 of files) u4.held.value = "answer";
  const answers = await settle(open2, (c4, left2) => askTaken({
    name: c4.top,
    folder: inFolder(c4),
    files: c4.files.length,
    size: c4.files[0]?.size ?? 0,
    modified: c4.files[0]?.file?.lastModified,
    there: c4.there,
    replaceable: replaceable(c4)
  }, left2), replaceable);
  let skipped = 0;
  for (const [at, { top: top2, files }] of open2.entries()) {
    const answer = answers[at];
    if (answer === "skip") {
      skipped++;
      uploads.value = uploads.peek().filter((u4) => !files.includes(u4));
      continue;
    }
    for (const u4 of files) {
      u4.replace = answer === "replace";
      release(u4);
    }
    make3((name) => name === same(top2));
  }
  if (skipped > 0) toast(t8("skipped", { count: skipped }));
  work4();
}

// node_modules/tus-js-client/lib.esm/error.js
function _typeof(o5) {
  "@babel/helpers - typeof";
  return _typeof = "function" == typeof Symbol && "symbol" == typeof Symbol.iterator ? function(o6) {
    return typeof o6;
  } : function(o6) {
    return o6 && "function" == typeof Symbol && o6.constructor === Symbol && o6 !== Symbol.prototype ? "symbol" : typeof o6;
  }, _typeof(o5);
}
function _defineProperties(target2, props) {
  for (var i4 = 0; i4 < props.length; i4++) {
    var descriptor = props[i4];
    descriptor.enumerable = descriptor.enumerable || false;
    descriptor.configurable = true;
    if ("value" in descriptor) descriptor.writable = true;
    Object.defineProperty(target2, _toPropertyKey(descriptor.key), descriptor);
  }
}
function _createClass(Constructor, protoProps, staticProps) {
  if (protoProps) _defineProperties(Constructor.prototype, protoProps);
  if (staticProps) _defineProperties(Constructor, staticProps);
  Object.defineProperty(Constructor, "prototype", { writable: false });
  return Constructor;
}
function _toPropertyKey(t20) {
  var i4 = _toPrimitive(t20, "string");
  return "symbol" == _typeof(i4) ? i4 : i4 + "";
}
function _toPrimitive(t20, r4) {
  if ("object" != _typeof(t20) || !t20) return t20;
  var e4 = t20[Symbol.toPrimitive];
  if (void 0 !== e4) {
    var i4 = e4.call(t20, r4 || "default");
    if ("object" != _typeof(i4)) return i4;
    throw new TypeError("@@toPrimitive must return a primitive value.");
  }
  return ("string" === r4 ? String : Number)(t20);
}
function _classCallCheck(instance, Constructor) {
  if (!(instance instanceof Constructor)) {
    throw new TypeError("Cannot call a class as a function");
  }
}
function _callSuper(t20, o5, e4) {
  return o5 = _getPrototypeOf(o5), _possibleConstructorReturn(t20, _isNativeReflectConstruct() ? Reflect.construct(o5, e4 || [], _getPrototypeOf(t20).constructor) : o5.apply(t20, e4));
}
function _possibleConstructorReturn(self2, call2) {
  if (call2 && (_typeof(call2) === "object" || typeof call2 === "function")) {
    return call2;
  } else if (call2 !== void 0) {
    throw new TypeError("Derived constructors may only return object or undefined");
  }
  return _assertThisInitialized(self2);
}
function _assertThisInitialized(self2) {
  if (self2 === void 0) {
    throw new ReferenceError("this hasn't been initialised - super() hasn't been called");
  }
  return self2;
}
function _inherits(subClass, superClass) {
  if (typeof superClass !== "function" && superClass !== null) {
    throw new TypeError("Super expression must either be null or a function");
  }
  subClass.prototype = Object.create(superClass && superClass.prototype, { constructor: { value: subClass, writable: true, configurable: true } });
  Object.defineProperty(subClass, "prototype", { writable: false });
  if (superClass) _setPrototypeOf(subClass, superClass);
}
function _wrapNativeSuper(Class) {
  var _cache = typeof Map === "function" ? /* @__PURE__ */ new Map() : void 0;
  _wrapNativeSuper = function _wrapNativeSuper2(Class2) {
    if (Class2 === null || !_isNativeFunction(Class2)) return Class2;
    if (typeof Class2 !== "function") {
      throw new TypeError("Super expression must either be null or a function");
    }
    if (typeof _cache !== "undefined") {
      if (_cache.has(Class2)) return _cache.get(Class2);
      _cache.set(Class2, Wrapper);
    }
    function Wrapper() {
      return _construct(Class2, arguments, _getPrototypeOf(this).constructor);
    }
    Wrapper.prototype = Object.create(Class2.prototype, { constructor: { value: Wrapper, enumerable: false, writable: true, configurable: true } });
    return _setPrototypeOf(Wrapper, Class2);
  };
  return _wrapNativeSuper(Class);
}
function _construct(t20, e4, r4) {
  if (_isNativeReflectConstruct()) return Reflect.construct.apply(null, arguments);
  var o5 = [null];
  o5.push.apply(o5, e4);
  var p5 = new (t20.bind.apply(t20, o5))();
  return r4 && _setPrototypeOf(p5, r4.prototype), p5;
}
function _isNativeReflectConstruct() {
  try {
    var t20 = !Boolean.prototype.valueOf.call(Reflect.construct(Boolean, [], function() {
    }));
  } catch (t21) {
  }
  return (_isNativeReflectConstruct = function _isNativeReflectConstruct3() {
    return !!t20;
  })();
}
function _isNativeFunction(fn) {
  try {
    return Function.toString.call(fn).indexOf("[native code]") !== -1;
  } catch (e4) {
    return typeof fn === "function";
  }
}
function _setPrototypeOf(o5, p5) {
  _setPrototypeOf = Object.setPrototypeOf ? Object.setPrototypeOf.bind() : function _setPrototypeOf3(o6, p6) {
    o6.__proto__ = p6;
    return o6;
  };
  return _setPrototypeOf(o5, p5);
}
function _getPrototypeOf(o5) {
  _getPrototypeOf = Object.setPrototypeOf ? Object.getPrototypeOf.bind() : function _getPrototypeOf3(o6) {
    return o6.__proto__ || Object.getPrototypeOf(o6);
  };
  return _getPrototypeOf(o5);
}
var DetailedError = /* @__PURE__ */ (function(_Error) {
  function DetailedError2(message) {
    var _this;
    var causingErr = arguments.length > 1 && arguments[1] !== void 0 ? arguments[1] : null;
    var req = arguments.length > 2 && arguments[2] !== void 0 ? arguments[2] : null;
    var res = arguments.length > 3 && arguments[3] !== void 0 ? arguments[3] : null;
    _classCallCheck(this, DetailedError2);
    _this = _callSuper(this, DetailedError2, [message]);
    _this.originalRequest = req;
    _this.originalResponse = res;
    _this.causingError = causingErr;
    if (causingErr != null) {
      message += ", caused by ".concat(causingErr.toString());
    }
    if (req != null) {
      var requestId = req.getHeader("X-Request-ID") || "n/a";
      var method = req.getMethod();
      var url = req.getURL();
      var status = res ? res.getStatus() : "n/a";
      var body = res ? res.getBody() || "" : "n/a";
      message += ", originated from request (method: ".concat(method, ", url: ").concat(url, ", response code: ").concat(status, ", response text: ").concat(body, ", request id: ").concat(requestId, ")");
    }
    _this.message = message;
    return _this;
  }
  _inherits(DetailedError2, _Error);
  return _createClass(DetailedError2);
})(/* @__PURE__ */ _wrapNativeSuper(Error));
var error_default = DetailedError;

// node_modules/tus-js-client/lib.esm/logger.js
var isEnabled = false;
function log(msg) {
  if (!isEnabled) return;
  console.log(msg);
}

// node_modules/tus-js-client/lib.esm/noopUrlStorage.js
function _typeof2(o5) {
  "@babel/helpers - typeof";
  return _typeof2 = "function" == typeof Symbol && "symbol" == typeof Symbol.iterator ? function(o6) {
    return typeof o6;
  } : function(o6) {
    return o6 && "function" == typeof Symbol && o6.constructor === Symbol && o6 !== Symbol.prototype ? "symbol" : typeof o6;
  }, _typeof2(o5);
}
function _classCallCheck2(instance, Constructor) {
  if (!(instance instanceof Constructor)) {
    throw new TypeError("Cannot call a class as a function");
  }
}
function _defineProperties2(target2, props) {
  for (var i4 = 0; i4 < props.length; i4++) {
    var descriptor = props[i4];
    descriptor.enumerable = descriptor.enumerable || false;
    descriptor.configurable = true;
    if ("value" in descriptor) descriptor.writable = true;
    Object.defineProperty(target2, _toPropertyKey2(descriptor.key), descriptor);
  }
}
function _createClass2(Constructor, protoProps, staticProps) {
  if (protoProps) _defineProperties2(Constructor.prototype, protoProps);
  if (staticProps) _defineProperties2(Constructor, staticProps);
  Object.defineProperty(Constructor, "prototype", { writable: false });
  return Constructor;
}
function _toPropertyKey2(t20) {
  var i4 = _toPrimitive2(t20, "string");
  return "symbol" == _typeof2(i4) ? i4 : i4 + "";
}
function _toPrimitive2(t20, r4) {
  if ("object" != _typeof2(t20) || !t20) return t20;
  var e4 = t20[Symbol.toPrimitive];
  if (void 0 !== e4) {
    var i4 = e4.call(t20, r4 || "default");
    if ("object" != _typeof2(i4)) return i4;
    throw new TypeError("@@toPrimitive must return a primitive value.");
  }
  return ("string" === r4 ? String : Number)(t20);
}
var NoopUrlStorage = /* @__PURE__ */ (function() {
  function NoopUrlStorage2() {
    _classCallCheck2(this, NoopUrlStorage2);
  }
  return _createClass2(NoopUrlStorage2, [{
    key: "listAllUploads",
    value: function listAllUploads() {
      return Promise.resolve([]);
    }
  }, {
    key: "findUploadsByFingerprint",
    value: function findUploadsByFingerprint(_fingerprint) {
      return Promise.resolve([]);
    }
  }, {
    key: "removeUpload",
    value: function removeUpload(_urlStorageKey) {
      return Promise.resolve();
    }
  }, {
    key: "addUpload",
    value: function addUpload(_fingerprint, _upload) {
      return Promise.resolve(null);
    }
  }]);
})();

// node_modules/js-base64/base64.mjs
var version = "3.9.7";
var VERSION = version;
var _TD = typeof TextDecoder === "function" ? new TextDecoder("utf-8", { ignoreBOM: true }) : void 0;
var _TE = typeof TextEncoder === "function" ? new TextEncoder() : void 0;
var b64ch = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
var b64chs = Array.prototype.slice.call(b64ch);
var b64tab = ((a5) => {
  let tab = {};
  a5.forEach((c4, i4) => tab[c4] = i4);
  return tab;
})(b64chs);
var b64re = /^(?:[A-Za-z\d+\/]{4})*?(?:[A-Za-z\d+\/]{2}(?:==)?|[A-Za-z\d+\/]{3}=?)?$/;
var _fromCC = String.fromCharCode.bind(String);
var _mkUriSafe = (src) => src.replace(/=/g, "").replace(/[+\/]/g, (m0) => m0 == "+" ? "-" : "_");
var _tidyB64 = (s4) => s4.replace(/[^A-Za-z0-9\+\/]/g, "");
var btoaPolyfill = (bin2) => {
  let u32, c0, c1, c22, asc = "";
  const pad = bin2.length % 3;
  for (let i4 = 0; i4 < bin2.length; ) {
    if ((c0 = bin2.charCodeAt(i4++)) > 255 || (c1 = bin2.charCodeAt(i4++)) > 255 || (c22 = bin2.charCodeAt(i4++)) > 255)
      throw new TypeError("invalid character found");
    u32 = c0 << 16 | c1 << 8 | c22;
    asc += b64chs[u32 >> 18 & 63] + b64chs[u32 >> 12 & 63] + b64chs[u32 >> 6 & 63] + b64chs[u32 & 63];
  }
  return pad ? asc.slice(0, pad - 3) + "===".substring(pad) : asc;
};
var _btoa = typeof btoa === "function" ? (bin2) => btoa(bin2) : btoaPolyfill;
var _fromUint8Array = typeof Uint8Array.prototype.toBase64 === "function" ? Function.prototype.call.bind(Uint8Array.prototype.toBase64) : (u8a) => {
  const maxargs = 4096;
  let strs = [];
  for (let i4 = 0, l4 = u8a.length; i4 < l4; i4 += maxargs) {
    strs.push(_fromCC.apply(null, u8a.subarray(i4, i4 + maxargs)));
  }
  return _btoa(strs.join(""));
};
var fromUint8Array = (u8a, urlsafe = false) => urlsafe ? _mkUriSafe(_fromUint8Array(u8a)) : _fromUint8Array(u8a);
var cb_utob = (c4) => {
  if (c4.length < 2) {
    var cc = c4.charCodeAt(0);
    return cc < 128 ? c4 : cc < 2048 ? _fromCC(192 | cc >>> 6) + _fromCC(128 | cc & 63) : _fromCC(224 | cc >>> 12 & 15) + _fromCC(128 | cc >>> 6 & 63) + _fromCC(128 | cc & 63);
  } else {
    var cc = 65536 + (c4.charCodeAt(0) - 55296) * 1024 + (c4.charCodeAt(1) - 56320);
    return _fromCC(240 | cc >>> 18 & 7) + _fromCC(128 | cc >>> 12 & 63) + _fromCC(128 | cc >>> 6 & 63) + _fromCC(128 | cc & 63);
  }
};
var re_utob = /[\uD800-\uDBFF][\uDC00-\uDFFF]|[^\x00-\x7F]/g;
var utob = (u4) => u4.replace(re_utob, cb_utob);
var _encode = _TE ? (s4) => _fromUint8Array(_TE.encode(s4)) : (s4) => _btoa(utob(s4));
var encode = (src, urlsafe = false) => urlsafe ? _mkUriSafe(_encode(src)) : _encode(src);
var encodeURI = (src) => encode(src, true);
var re_btou = /[\xC0-\xDF][\x80-\xBF]|[\xE0-\xEF][\x80-\xBF]{2}|[\xF0-\xF7][\x80-\xBF]{3}/g;
var cb_btou = (cccc) => {
  switch (cccc.length) {
    case 4:
      var cp = (7 & cccc.charCodeAt(0)) << 18 | (63 & cccc.charCodeAt(1)) << 12 | (63 & cccc.charCodeAt(2)) << 6 | 63 & cccc.charCodeAt(3), offset = cp - 65536;
      return _fromCC((offset >>> 10) + 55296) + _fromCC((offset & 1023) + 56320);
    case 3:
      return _fromCC((15 & cccc.charCodeAt(0)) << 12 | (63 & cccc.charCodeAt(1)) << 6 | 63 & cccc.charCodeAt(2));
    default:
      return _fromCC((31 & cccc.charCodeAt(0)) << 6 | 63 & cccc.charCodeAt(1));
  }
};
var btou = (b4) => b4.replace(re_btou, cb_btou);
var atobPolyfill = (asc) => {
  asc = asc.replace(/\s+/g, "");
  if (!b64re.test(asc))
    throw new TypeError("malformed base64.");
  asc += "==".slice(2 - (asc.length & 3));
  let u24, r1, r22;
  let binArray = [];
  for (let i4 = 0; i4 < asc.length; ) {
    u24 = b64tab[asc.charAt(i4++)] << 18 | b64tab[asc.charAt(i4++)] << 12 | (r1 = b64tab[asc.charAt(i4++)]) << 6 | (r22 = b64tab[asc.charAt(i4++)]);
    if (r1 === 64) {
      binArray.push(_fromCC(u24 >> 16 & 255));
    } else if (r22 === 64) {
      binArray.push(_fromCC(u24 >> 16 & 255, u24 >> 8 & 255));
    } else {
      binArray.push(_fromCC(u24 >> 16 & 255, u24 >> 8 & 255, u24 & 255));
    }
  }
  return binArray.join("");
};
var _atob = typeof atob === "function" ? (asc) => atob(_tidyB64(asc)) : atobPolyfill;
var _toUint8Array = typeof Uint8Array.fromBase64 === "function" ? (a5) => Uint8Array.fromBase64(a5) : (a5) => {
  const bin2 = _atob(a5), l4 = bin2.length, u8a = new Uint8Array(l4);
  for (let i4 = 0; i4 < l4; i4++)
    u8a[i4] = bin2.charCodeAt(i4);
  return u8a;
};
var toUint8Array = (a5) => _toUint8Array(_unURI(a5));
var _decode = _TD ? (a5) => _TD.decode(_toUint8Array(a5)) : (a5) => btou(_atob(a5));
var _unURI = (a5) => _tidyB64(a5.replace(/[-_]/g, (m0) => m0 == "-" ? "+" : "/"));
var decode = (src) => _decode(_unURI(src));
var isValid = (src) => {
  if (typeof src !== "string")
    return false;
  const s4 = src.replace(/\s+/g, "").replace(/={0,2}$/, "");
  if (s4.length % 4 === 1)
    return false;
  return !/[^\s0-9a-zA-Z\+/]/.test(s4) || !/[^\s0-9a-zA-Z\-_]/.test(s4);
};
var _noEnum = (v4) => {
  return {
    value: v4,
    enumerable: false,
    writable: true,
    configurable: true
  };
};
var extendString = function() {
  const _add = (name, body) => Object.defineProperty(String.prototype, name, _noEnum(body));
  _add("fromBase64", function() {
    return decode(this);
  });
  _add("toBase64", function(urlsafe) {
    return encode(this, urlsafe);
  });
  _add("toBase64URI", function() {
    return encode(this, true);
  });
  _add("toBase64URL", function() {
    return encode(this, true);
  });
  _add("toUint8Array", function() {
    return toUint8Array(this);
  });
};
var extendUint8Array = function() {
  const _add = (name, body) => Object.defineProperty(Uint8Array.prototype, name, _noEnum(body));
  _add("toBase64", function(urlsafe) {
    return fromUint8Array(this, urlsafe);
  });
  _add("toBase64URI", function() {
    return fromUint8Array(this, true);
  });
  _add("toBase64URL", function() {
    return fromUint8Array(this, true);
  });
};
var extendBuiltins = () => {
  extendString();
  extendUint8Array();
};
var gBase64 = {
  version,
  VERSION,
  atob: _atob,
  atobPolyfill,
  btoa: _btoa,
  btoaPolyfill,
  fromBase64: decode,
  toBase64: encode,
  encode,
  encodeURI,
  encodeURL: encodeURI,
  utob,
  btou,
  decode,
  isValid,
  fromUint8Array,
  toUint8Array,
  extendString,
  extendUint8Array,
  extendBuiltins
};

// node_modules/tus-js-client/lib.esm/upload.js
var import_url_parse = __toESM(require_url_parse());

// node_modules/tus-js-client/lib.esm/uuid.js
function uuid() {
  return "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx".replace(/[xy]/g, function(c4) {
    var r4 = Math.random() * 16 | 0;
    var v4 = c4 === "x" ? r4 : r4 & 3 | 8;
    return v4.toString(16);
  });
}

// node_modules/tus-js-client/lib.esm/upload.js
function _regeneratorRuntime() {
  "use strict";
  _regeneratorRuntime = function _regeneratorRuntime3() {
    return e4;
  };
  var t20, e4 = {}, r4 = Object.prototype, n3 = r4.hasOwnProperty, o5 = Object.defineProperty || function(t21, e5, r5) {
    t21[e5] = r5.value;
  }, i4 = "function" == typeof Symbol ? Symbol : {}, a5 = i4.iterator || "@@iterator", c4 = i4.asyncIterator || "@@asyncIterator", u4 = i4.toStringTag || "@@toStringTag";
  function define(t21, e5, r5) {
    return Object.defineProperty(t21, e5, { value: r5, enumerable: true, configurable: true, writable: true }), t21[e5];
  }
  try {
    define({}, "");
  } catch (t21) {
    define = function define2(t22, e5, r5) {
      return t22[e5] = r5;
    };
  }
  function wrap(t21, e5, r5, n4) {
    var i5 = e5 && e5.prototype instanceof Generator ? e5 : Generator, a6 = Object.create(i5.prototype), c5 = new Context(n4 || []);
    return o5(a6, "_invoke", { value: makeInvokeMethod(t21, r5, c5) }), a6;
  }
  function tryCatch(t21, e5, r5) {
    try {
      return { type: "normal", arg: t21.call(e5, r5) };
    } catch (t22) {
      return { type: "throw", arg: t22 };
    }
  }
  e4.wrap = wrap;
  var h5 = "suspendedStart", l4 = "suspendedYield", f5 = "executing", s4 = "completed", y5 = {};
  function Generator() {
  }
  function GeneratorFunction() {
  }
  function GeneratorFunctionPrototype() {
  }
  var p5 = {};
  define(p5, a5, function() {
    return this;
  });
  var d5 = Object.getPrototypeOf, v4 = d5 && d5(d5(values([])));
  v4 && v4 !== r4 && n3.call(v4, a5) && (p5 = v4);
  var g5 = GeneratorFunctionPrototype.prototype = Generator.prototype = Object.create(p5);
  function defineIteratorMethods(t21) {
    ["next", "throw", "return"].forEach(function(e5) {
      define(t21, e5, function(t22) {
        return this._invoke(e5, t22);
      });
    });
  }
  function AsyncIterator(t21, e5) {
    function invoke(r6, o6, i5, a6) {
      var c5 = tryCatch(t21[r6], t21, o6);
      if ("throw" !== c5.type) {
        var u5 = c5.arg, h6 = u5.value;
        return h6 && "object" == _typeof3(h6) && n3.call(h6, "__await") ? e5.resolve(h6.__await).then(function(t22) {
          invoke("next", t22, i5, a6);
        }, function(t22) {
          invoke("throw", t22, i5, a6);
        }) : e5.resolve(h6).then(function(t22) {
          u5.value = t22, i5(u5);
        }, function(t22) {
          return invoke("throw", t22, i5, a6);
        });
      }
      a6(c5.arg);
    }
    var r5;
    o5(this, "_invoke", { value: function value(t22, n4) {
      function callInvokeWithMethodAndArg() {
        return new e5(function(e6, r6) {
          invoke(t22, n4, e6, r6);
        });
      }
      return r5 = r5 ? r5.then(callInvokeWithMethodAndArg, callInvokeWithMethodAndArg) : callInvokeWithMethodAndArg();
    } });
  }
  function makeInvokeMethod(e5, r5, n4) {
    var o6 = h5;
    return function(i5, a6) {
      if (o6 === f5) throw Error("Generator is already running");
      if (o6 === s4) {
        if ("throw" === i5) throw a6;
        return { value: t20, done: true };
      }
      for (n4.method = i5, n4.arg = a6; ; ) {
        var c5 = n4.delegate;
        if (c5) {
          var u5 = maybeInvokeDelegate(c5, n4);
          if (u5) {
            if (u5 === y5) continue;
            return u5;
          }
        }
        if ("next" === n4.method) n4.sent = n4._sent = n4.arg;
        else if ("throw" === n4.method) {
          if (o6 === h5) throw o6 = s4, n4.arg;
          n4.dispatchException(n4.arg);
        } else "return" === n4.method && n4.abrupt("return", n4.arg);
        o6 = f5;
        var p6 = tryCatch(e5, r5, n4);
        if ("normal" === p6.type) {
          if (o6 = n4.done ? s4 : l4, p6.arg === y5) continue;
          return { value: p6.arg, done: n4.done };
        }
        "throw" === p6.type && (o6 = s4, n4.method = "throw", n4.arg = p6.arg);
      }
    };
  }
  function maybeInvokeDelegate(e5, r5) {
    var n4 = r5.method, o6 = e5.iterator[n4];
    if (o6 === t20) return r5.delegate = null, "throw" === n4 && e5.iterator["return"] && (r5.method = "return", r5.arg = t20, maybeInvokeDelegate(e5, r5), "throw" === r5.method) || "return" !== n4 && (r5.method = "throw", r5.arg = new TypeError("The iterator does not provide a '" + n4 + "' method")), y5;
    var i5 = tryCatch(o6, e5.iterator, r5.arg);
    if ("throw" === i5.type) return r5.method = "throw", r5.arg = i5.arg, r5.delegate = null, y5;
    var a6 = i5.arg;
    return a6 ? a6.done ? (r5[e5.resultName] = a6.value, r5.next = e5.nextLoc, "return" !== r5.method && (r5.method = "next", r5.arg = t20), r5.delegate = null, y5) : a6 : (r5.method = "throw", r5.arg = new TypeError("iterator result is not an object"), r5.delegate = null, y5);
  }
  function pushTryEntry(t21) {
    var e5 = { tryLoc: t21[0] };
    1 in t21 && (e5.catchLoc = t21[1]), 2 in t21 && (e5.finallyLoc = t21[2], e5.afterLoc = t21[3]), this.tryEntries.push(e5);
  }
  function resetTryEntry(t21) {
    var e5 = t21.completion || {};
    e5.type = "normal", delete e5.arg, t21.completion = e5;
  }
  function Context(t21) {
    this.tryEntries = [{ tryLoc: "root" }], t21.forEach(pushTryEntry, this), this.reset(true);
  }
  function values(e5) {
    if (e5 || "" === e5) {
      var r5 = e5[a5];
      if (r5) return r5.call(e5);
      if ("function" == typeof e5.next) return e5;
      if (!isNaN(e5.length)) {
        var o6 = -1, i5 = function next() {
          for (; ++o6 < e5.length; ) if (n3.call(e5, o6)) return next.value = e5[o6], next.done = false, next;
          return next.value = t20, next.done = true, next;
        };
        return i5.next = i5;
      }
    }
    throw new TypeError(_typeof3(e5) + " is not iterable");
  }
  return GeneratorFunction.prototype = GeneratorFunctionPrototype, o5(g5, "constructor", { value: GeneratorFunctionPrototype, configurable: true }), o5(GeneratorFunctionPrototype, "constructor", { value: GeneratorFunction, configurable: true }), GeneratorFunction.displayName = define(GeneratorFunctionPrototype, u4, "GeneratorFunction"), e4.isGeneratorFunction = function(t21) {
    var e5 = "function" == typeof t21 && t21.constructor;
    return !!e5 && (e5 === GeneratorFunction || "GeneratorFunction" === (e5.displayName || e5.name));
  }, e4.mark = function(t21) {
    return Object.setPrototypeOf ? Object.setPrototypeOf(t21, GeneratorFunctionPrototype) : (t21.__proto__ = GeneratorFunctionPrototype, define(t21, u4, "GeneratorFunction")), t21.prototype = Object.create(g5), t21;
  }, e4.awrap = function(t21) {
    return { __await: t21 };
  }, defineIteratorMethods(AsyncIterator.prototype), define(AsyncIterator.prototype, c4, function() {
    return this;
  }), e4.AsyncIterator = AsyncIterator, e4.async = function(t21, r5, n4, o6, i5) {
    void 0 === i5 && (i5 = Promise);
    var a6 = new AsyncIterator(wrap(t21, r5, n4, o6), i5);
    return e4.isGeneratorFunction(r5) ? a6 : a6.next().then(function(t22) {
      return t22.done ? t22.value : a6.next();
    });
  }, defineIteratorMethods(g5), define(g5, u4, "Generator"), define(g5, a5, function() {
    return this;
  }), define(g5, "toString", function() {
    return "[object Generator]";
  }), e4.keys = function(t21) {
    var e5 = Object(t21), r5 = [];
    for (var n4 in e5) r5.push(n4);
    return r5.reverse(), function next() {
      for (; r5.length; ) {
        var t22 = r5.pop();
        if (t22 in e5) return next.value = t22, next.done = false, next;
      }
      return next.done = true, next;
    };
  }, e4.values = values, Context.prototype = { constructor: Context, reset: function reset(e5) {
    if (this.prev = 0, this.next = 0, this.sent = this._sent = t20, this.done = false, this.delegate = null, this.method = "next", this.arg = t20, this.tryEntries.forEach(resetTryEntry), !e5) for (var r5 in this) "t" === r5.charAt(0) && n3.call(this, r5) && !isNaN(+r5.slice(1)) && (this[r5] = t20);
  }, stop: function stop() {
    this.done = true;
    var t21 = this.tryEntries[0].completion;
    if ("throw" === t21.type) throw t21.arg;
    return this.rval;
  }, dispatchException: function dispatchException(e5) {
    if (this.done) throw e5;
    var r5 = this;
    function handle(n4, o7) {
      return a6.type = "throw", a6.arg = e5, r5.next = n4, o7 && (r5.method = "next", r5.arg = t20), !!o7;
    }
    for (var o6 = this.tryEntries.length - 1; o6 >= 0; --o6) {
      var i5 = this.tryEntries[o6], a6 = i5.completion;
      if ("root" === i5.tryLoc) return handle("end");
      if (i5.tryLoc <= this.prev) {
        var c5 = n3.call(i5, "catchLoc"), u5 = n3.call(i5, "finallyLoc");
        if (c5 && u5) {
          if (this.prev < i5.catchLoc) return handle(i5.catchLoc, true);
          if (this.prev < i5.finallyLoc) return handle(i5.finallyLoc);
        } else if (c5) {
          if (this.prev < i5.catchLoc) return handle(i5.catchLoc, true);
        } else {
          if (!u5) throw Error("try statement without catch or finally");
          if (this.prev < i5.finallyLoc) return handle(i5.finallyLoc);
        }
      }
    }
  }, abrupt: function abrupt(t21, e5) {
    for (var r5 = this.tryEntries.length - 1; r5 >= 0; --r5) {
      var o6 = this.tryEntries[r5];
      if (o6.tryLoc <= this.prev && n3.call(o6, "finallyLoc") && this.prev < o6.finallyLoc) {
        var i5 = o6;
        break;
      }
    }
    i5 && ("break" === t21 || "continue" === t21) && i5.tryLoc <= e5 && e5 <= i5.finallyLoc && (i5 = null);
    var a6 = i5 ? i5.completion : {};
    return a6.type = t21, a6.arg = e5, i5 ? (this.method = "next", this.next = i5.finallyLoc, y5) : this.complete(a6);
  }, complete: function complete(t21, e5) {
    if ("throw" === t21.type) throw t21.arg;
    return "break" === t21.type || "continue" === t21.type ? this.next = t21.arg : "return" === t21.type ? (this.rval = this.arg = t21.arg, this.method = "return", this.next = "end") : "normal" === t21.type && e5 && (this.next = e5), y5;
  }, finish: function finish(t21) {
    for (var e5 = this.tryEntries.length - 1; e5 >= 0; --e5) {
      var r5 = this.tryEntries[e5];
      if (r5.finallyLoc === t21) return this.complete(r5.completion, r5.afterLoc), resetTryEntry(r5), y5;
    }
  }, "catch": function _catch(t21) {
    for (var e5 = this.tryEntries.length - 1; e5 >= 0; --e5) {
      var r5 = this.tryEntries[e5];
      if (r5.tryLoc === t21) {
        var n4 = r5.completion;
        if ("throw" === n4.type) {
          var o6 = n4.arg;
          resetTryEntry(r5);
        }
        return o6;
      }
    }
    throw Error("illegal catch attempt");
  }, delegateYield: function delegateYield(e5, r5, n4) {
    return this.delegate = { iterator: values(e5), resultName: r5, nextLoc: n4 }, "next" === this.method && (this.arg = t20), y5;
  } }, e4;
}
function asyncGeneratorStep(gen, resolve, reject, _next, _throw, key3, arg) {
  try {
    var info = gen[key3](arg);
    var value = info.value;
  } catch (error) {
    reject(error);
    return;
  }
  if (info.done) {
    resolve(value);
  } else {
    Promise.resolve(value).then(_next, _throw);
  }
}
function _asyncToGenerator(fn) {
  return function() {
    var self2 = this, args = arguments;
    return new Promise(function(resolve, reject) {
      var gen = fn.apply(self2, args);
      function _next(value) {
        asyncGeneratorStep(gen, resolve, reject, _next, _throw, "next", value);
      }
      function _throw(err2) {
        asyncGeneratorStep(gen, resolve, reject, _next, _throw, "throw", err2);
      }
      _next(void 0);
    });
  };
}
function _slicedToArray(arr, i4) {
  return _arrayWithHoles(arr) || _iterableToArrayLimit(arr, i4) || _unsupportedIterableToArray(arr, i4) || _nonIterableRest();
}
function _nonIterableRest() {
  throw new TypeError("Invalid attempt to destructure non-iterable instance.\nIn order to be iterable, non-array objects must have a [Symbol.iterator]() method.");
}
function _iterableToArrayLimit(r4, l4) {
  var t20 = null == r4 ? null : "undefined" != typeof Symbol && r4[Symbol.iterator] || r4["@@iterator"];
  if (null != t20) {
    var e4, n3, i4, u4, a5 = [], f5 = true, o5 = false;
    try {
      if (i4 = (t20 = t20.call(r4)).next, 0 === l4) {
        if (Object(t20) !== t20) return;
        f5 = false;
      } else for (; !(f5 = (e4 = i4.call(t20)).done) && (a5.push(e4.value), a5.length !== l4); f5 = true) ;
    } catch (r5) {
      o5 = true, n3 = r5;
    } finally {
      try {
        if (!f5 && null != t20["return"] && (u4 = t20["return"](), Object(u4) !== u4)) return;
      } finally {
        if (o5) throw n3;
      }
    }
    return a5;
  }
}
function _arrayWithHoles(arr) {
  if (Array.isArray(arr)) return arr;
}
function _typeof3(o5) {
  "@babel/helpers - typeof";
  return _typeof3 = "function" == typeof Symbol && "symbol" == typeof Symbol.iterator ? function(o6) {
    return typeof o6;
  } : function(o6) {
    return o6 && "function" == typeof Symbol && o6.constructor === Symbol && o6 !== Symbol.prototype ? "symbol" : typeof o6;
  }, _typeof3(o5);
}
function _createForOfIteratorHelper(o5, allowArrayLike) {
  var it = typeof Symbol !== "undefined" && o5[Symbol.iterator] || o5["@@iterator"];
  if (!it) {
    if (Array.isArray(o5) || (it = _unsupportedIterableToArray(o5)) || allowArrayLike && o5 && typeof o5.length === "number") {
      if (it) o5 = it;
      var i4 = 0;
      var F4 = function F5() {
      };
      return { s: F4, n: function n3() {
        if (i4 >= o5.length) return { done: true };
        return { done: false, value: o5[i4++] };
      }, e: function e4(_e) {
        throw _e;
      }, f: F4 };
    }
    throw new TypeError("Invalid attempt to iterate non-iterable instance.\nIn order to be iterable, non-array objects must have a [Symbol.iterator]() method.");
  }
  var normalCompletion = true, didErr = false, err2;
  return { s: function s4() {
    it = it.call(o5);
  }, n: function n3() {
    var step = it.next();
    normalCompletion = step.done;
    return step;
  }, e: function e4(_e2) {
    didErr = true;
    err2 = _e2;
  }, f: function f5() {
    try {
      if (!normalCompletion && it["return"] != null) it["return"]();
    } finally {
      if (didErr) throw err2;
    }
  } };
}
function _unsupportedIterableToArray(o5, minLen) {
  if (!o5) return;
  if (typeof o5 === "string") return _arrayLikeToArray(o5, minLen);
  var n3 = Object.prototype.toString.call(o5).slice(8, -1);
  if (n3 === "Object" && o5.constructor) n3 = o5.constructor.name;
  if (n3 === "Map" || n3 === "Set") return Array.from(o5);
  if (n3 === "Arguments" || /^(?:Ui|I)nt(?:8|16|32)(?:Clamped)?Array$/.test(n3)) return _arrayLikeToArray(o5, minLen);
}
function _arrayLikeToArray(arr, len2) {
  if (len2 == null || len2 > arr.length) len2 = arr.length;
  for (var i4 = 0, arr2 = new Array(len2); i4 < len2; i4++) arr2[i4] = arr[i4];
  return arr2;
}
function ownKeys(e4, r4) {
  var t20 = Object.keys(e4);
  if (Object.getOwnPropertySymbols) {
    var o5 = Object.getOwnPropertySymbols(e4);
    r4 && (o5 = o5.filter(function(r5) {
      return Object.getOwnPropertyDescriptor(e4, r5).enumerable;
    })), t20.push.apply(t20, o5);
  }
  return t20;
}
function _objectSpread(e4) {
  for (var r4 = 1; r4 < arguments.length; r4++) {
    var t20 = null != arguments[r4] ? arguments[r4] : {};
    r4 % 2 ? ownKeys(Object(t20), true).forEach(function(r5) {
      _defineProperty(e4, r5, t20[r5]);
    }) : Object.getOwnPropertyDescriptors ? Object.defineProperties(e4, Object.getOwnPropertyDescriptors(t20)) : ownKeys(Object(t20)).forEach(function(r5) {
      Object.defineProperty(e4, r5, Object.getOwnPropertyDescriptor(t20, r5));
    });
  }
  return e4;
}
function _defineProperty(obj, key3, value) {
  key3 = _toPropertyKey3(key3);
  if (key3 in obj) {
    Object.defineProperty(obj, key3, { value, enumerable: true, configurable: true, writable: true });
  } else {
    obj[key3] = value;
  }
  return obj;
}
function _classCallCheck3(instance, Constructor) {
  if (!(instance instanceof Constructor)) {
    throw new TypeError("Cannot call a class as a function");
  }
}
function _defineProperties3(target2, props) {
  for (var i4 = 0; i4 < props.length; i4++) {
    var descriptor = props[i4];
    descriptor.enumerable = descriptor.enumerable || false;
    descriptor.configurable = true;
    if ("value" in descriptor) descriptor.writable = true;
    Object.defineProperty(target2, _toPropertyKey3(descriptor.key), descriptor);
  }
}
function _createClass3(Constructor, protoProps, staticProps) {
  if (protoProps) _defineProperties3(Constructor.prototype, protoProps);
  if (staticProps) _defineProperties3(Constructor, staticProps);
  Object.defineProperty(Constructor, "prototype", { writable: false });
  return Constructor;
}
function _toPropertyKey3(t20) {
  var i4 = _toPrimitive3(t20, "string");
  return "symbol" == _typeof3(i4) ? i4 : i4 + "";
}
function _toPrimitive3(t20, r4) {
  if ("object" != _typeof3(t20) || !t20) return t20;
  var e4 = t20[Symbol.toPrimitive];
  if (void 0 !== e4) {
    var i4 = e4.call(t20, r4 || "default");
    if ("object" != _typeof3(i4)) return i4;
    throw new TypeError("@@toPrimitive must return a primitive value.");
  }
  return ("string" === r4 ? String : Number)(t20);
}
var PROTOCOL_TUS_V1 = "tus-v1";
var PROTOCOL_IETF_DRAFT_03 = "ietf-draft-03";
var PROTOCOL_IETF_DRAFT_05 = "ietf-draft-05";
var defaultOptions = {
  endpoint: null,
  uploadUrl: null,
  metadata: {},
  metadataForPartialUploads: {},
  fingerprint: null,
  uploadSize: null,
  onProgress: null,
  onChunkComplete: null,
  onSuccess: null,
  onError: null,
  onUploadUrlAvailable: null,
  overridePatchMethod: false,
  headers: {},
  addRequestId: false,
  onBeforeRequest: null,
  onAfterResponse: null,
  onShouldRetry: defaultOnShouldRetry,
  chunkSize: Number.POSITIVE_INFINITY,
  retryDelays: [0, 1e3, 3e3, 5e3],
  parallelUploads: 1,
  parallelUploadBoundaries: null,
  storeFingerprintForResuming: true,
  removeFingerprintOnSuccess: false,
  uploadLengthDeferred: false,
  uploadDataDuringCreation: false,
  urlStorage: null,
  fileReader: null,
  httpStack: null,
  protocol: PROTOCOL_TUS_V1
};
var BaseUpload = /* @__PURE__ */ (function() {
  function BaseUpload2(file3, options) {
    _classCallCheck3(this, BaseUpload2);
    if ("resume" in options) {
      console.log("tus: The `resume` option has been removed in tus-js-client v2. Please use the URL storage API instead.");
    }
    this.options = options;
    this.options.chunkSize = Number(this.options.chunkSize);
    this._urlStorage = this.options.urlStorage;
    this.file = file3;
    this.url = null;
    this._req = null;
    this._fingerprint = null;
    this._urlStorageKey = null;
    this._offset = null;
    this._aborted = false;
    this._size = null;
    this._source = null;
    this._retryAttempt = 0;
    this._retryTimeout = null;
    this._offsetBeforeRetry = 0;
    this._parallelUploads = null;
    this._parallelUploadUrls = null;
  }
  return _createClass3(BaseUpload2, [{
    key: "findPreviousUploads",
    value: function findPreviousUploads() {
      var _this = this;
      return this.options.fingerprint(this.file, this.options).then(function(fingerprint2) {
        return _this._urlStorage.findUploadsByFingerprint(fingerprint2);
      });
    }
  }, {
    key: "resumeFromPreviousUpload",
    value: function resumeFromPreviousUpload(previousUpload) {
      this.url = previousUpload.uploadUrl || null;
      this._parallelUploadUrls = previousUpload.parallelUploadUrls || null;
      this._urlStorageKey = previousUpload.urlStorageKey;
    }
  }, {
    key: "start",
    value: function start2() {
      var _this2 = this;
      var file3 = this.file;
      if (!file3) {
        this._emitError(new Error("tus: no file or stream to upload provided"));
        return;
      }
      if (![PROTOCOL_TUS_V1, PROTOCOL_IETF_DRAFT_03, PROTOCOL_IETF_DRAFT_05].includes(this.options.protocol)) {
        this._emitError(new Error("tus: unsupported protocol ".concat(this.options.protocol)));
        return;
      }
      if (!this.options.endpoint && !this.options.uploadUrl && !this.url) {
        this._emitError(new Error("tus: neither an endpoint or an upload URL is provided"));
        return;
      }
      var retryDelays = this.options.retryDelays;
      if (retryDelays != null && Object.prototype.toString.call(retryDelays) !== "[object Array]") {
        this._emitError(new Error("tus: the `retryDelays` option must either be an array or null"));
        return;
      }
      if (this.options.parallelUploads > 1) {
        for (var _i = 0, _arr = ["uploadUrl", "uploadSize", "uploadLengthDeferred"]; _i < _arr.length; _i++) {
          var optionName = _arr[_i];
          if (this.options[optionName]) {
            this._emitError(new Error("tus: cannot use the ".concat(optionName, " option when parallelUploads is enabled")));
            return;
          }
        }
      }
      if (this.options.parallelUploadBoundaries) {
        if (this.options.parallelUploads <= 1) {
          this._emitError(new Error("tus: cannot use the `parallelUploadBoundaries` option when `parallelUploads` is disabled"));
          return;
        }
        if (this.options.parallelUploads !== this.options.parallelUploadBoundaries.length) {
          this._emitError(new Error("tus: the `parallelUploadBoundaries` must have the same length as the value of `parallelUploads`"));
          return;
        }
      }
      this.options.fingerprint(file3, this.options).then(function(fingerprint2) {
        if (fingerprint2 == null) {
          log("No fingerprint was calculated meaning that the upload cannot be stored in the URL storage.");
        } else {
          log("Calculated fingerprint: ".concat(fingerprint2));
        }
        _this2._fingerprint = fingerprint2;
        if (_this2._source) {
          return _this2._source;
        }
        return _this2.options.fileReader.openFile(file3, _this2.options.chunkSize);
      }).then(function(source) {
        _this2._source = source;
        if (_this2.options.uploadLengthDeferred) {
          _this2._size = null;
        } else if (_this2.options.uploadSize != null) {
          _this2._size = Number(_this2.options.uploadSize);
          if (Number.isNaN(_this2._size)) {
            _this2._emitError(new Error("tus: cannot convert `uploadSize` option into a number"));
            return;
          }
        } else {
          _this2._size = _this2._source.size;
          if (_this2._size == null) {
            _this2._emitError(new Error("tus: cannot automatically derive upload's size from input. Specify it manually using the `uploadSize` option or use the `uploadLengthDeferred` option"));
            return;
          }
        }
        if (_this2.options.parallelUploads > 1 || _this2._parallelUploadUrls != null) {
          _this2._startParallelUpload();
        } else {
          _this2._startSingleUpload();
        }
      })["catch"](function(err2) {
        _this2._emitError(err2);
      });
    }
    /**
     * Initiate the uploading procedure for a parallelized upload, where one file is split into
     * multiple request which are run in parallel.
     *
     * @api private
     */
  }, {
    key: "_startParallelUpload",
    value: function _startParallelUpload() {
      var _this$options$paralle, _this3 = this;
      var totalSize = this._size;
      var totalProgress = 0;
      this._parallelUploads = [];
      var partCount = this._parallelUploadUrls != null ? this._parallelUploadUrls.length : this.options.parallelUploads;
      var parts = (_this$options$paralle = this.options.parallelUploadBoundaries) !== null && _this$options$paralle !== void 0 ? _this$options$paralle : splitSizeIntoParts(this._source.size, partCount);
      if (this._parallelUploadUrls) {
        parts.forEach(function(part, index) {
          part.uploadUrl = _this3._parallelUploadUrls[index] || null;
        });
      }
      this._parallelUploadUrls = new Array(parts.length);
      var uploads2 = parts.map(function(part, index) {
        var lastPartProgress = 0;
        return _this3._source.slice(part.start, part.end).then(function(_ref) {
          var value = _ref.value;
          return new Promise(function(resolve, reject) {
            var options = _objectSpread(_objectSpread({}, _this3.options), {}, {
              // If available, the partial upload should be resumed from a previous URL.
              uploadUrl: part.uploadUrl || null,
              // We take manually care of resuming for partial uploads, so they should
              // not be stored in the URL storage.
              storeFingerprintForResuming: false,
              removeFingerprintOnSuccess: false,
              // Reset the parallelUploads option to not cause recursion.
              parallelUploads: 1,
              // Reset this option as we are not doing a parallel upload.
              parallelUploadBoundaries: null,
              metadata: _this3.options.metadataForPartialUploads,
              // Add the header to indicate the this is a partial upload.
              headers: _objectSpread(_objectSpread({}, _this3.options.headers), {}, {
                "Upload-Concat": "partial"
              }),
              // Reject or resolve the promise if the upload errors or completes.
              onSuccess: resolve,
              onError: reject,
              // Based in the progress for this partial upload, calculate the progress
              // for the entire final upload.
              onProgress: function onProgress(newPartProgress) {
                totalProgress = totalProgress - lastPartProgress + newPartProgress;
                lastPartProgress = newPartProgress;
                _this3._emitProgress(totalProgress, totalSize);
              },
              // Wait until every partial upload has an upload URL, so we can add
              // them to the URL storage.
              onUploadUrlAvailable: function onUploadUrlAvailable() {
                _this3._parallelUploadUrls[index] = upload2.url;
                if (_this3._parallelUploadUrls.filter(function(u4) {
                  return Boolean(u4);
                }).length === parts.length) {
                  _this3._saveUploadInUrlStorage();
                }
              }
            });
            var upload2 = new BaseUpload2(value, options);
            upload2.start();
            _this3._parallelUploads.push(upload2);
          });
        });
      });
      var req;
      Promise.all(uploads2).then(function() {
        req = _this3._openRequest("POST", _this3.options.endpoint);
        req.setHeader("Upload-Concat", "final;".concat(_this3._parallelUploadUrls.join(" ")));
        var metadata = encodeMetadata(_this3.options.metadata);
        if (metadata !== "") {
          req.setHeader("Upload-Metadata", metadata);
        }
        return _this3._sendRequest(req, null);
      }).then(function(res) {
        if (!inStatusCategory(res.getStatus(), 200)) {
          _this3._emitHttpError(req, res, "tus: unexpected response while creating upload");
          return;
        }
        var location2 = res.getHeader("Location");
        if (location2 == null) {
          _this3._emitHttpError(req, res, "tus: invalid or missing Location header");
          return;
        }
        _this3.url = resolveUrl(_this3.options.endpoint, location2);
        log("Created upload at ".concat(_this3.url));
        _this3._emitSuccess(res);
      })["catch"](function(err2) {
        _this3._emitError(err2);
      });
    }
    /**
     * Initiate the uploading procedure for a non-parallel upload. Here the entire file is
     * uploaded in a sequential matter.
     *
     * @api private
     */
  }, {
    key: "_startSingleUpload",
    value: function _startSingleUpload() {
      this._aborted = false;
      if (this.url != null) {
        log("Resuming upload from previous URL: ".concat(this.url));
        this._resumeUpload();
        return;
      }
      if (this.options.uploadUrl != null) {
        log("Resuming upload from provided URL: ".concat(this.options.uploadUrl));
        this.url = this.options.uploadUrl;
        this._resumeUpload();
        return;
      }
      log("Creating a new upload");
      this._createUpload();
    }
    /**
     * Abort any running request and stop the current upload. After abort is called, no event
     * handler will be invoked anymore. You can use the `start` method to resume the upload
     * again.
     * If `shouldTerminate` is true, the `terminate` function will be called to remove the
     * current upload from the server.
     *
     * @param {boolean} shouldTerminate True if the upload should be deleted from the server.
     * @return {Promise} The Promise will be resolved/rejected when the requests finish.
     */
  }, {
    key: "abort",
    value: function abort(shouldTerminate) {
      var _this4 = this;
      if (this._parallelUploads != null) {
        var _iterator = _createForOfIteratorHelper(this._parallelUploads), _step;
        try {
          for (_iterator.s(); !(_step = _iterator.n()).done; ) {
            var upload2 = _step.value;
            upload2.abort(shouldTerminate);
          }
        } catch (err2) {
          _iterator.e(err2);
        } finally {
          _iterator.f();
        }
      }
      if (this._req !== null) {
        this._req.abort();
      }
      this._aborted = true;
      if (this._retryTimeout != null) {
        clearTimeout(this._retryTimeout);
        this._retryTimeout = null;
      }
      if (!shouldTerminate || this.url == null) {
        return Promise.resolve();
      }
      return BaseUpload2.terminate(this.url, this.options).then(function() {
        return _this4._removeFromUrlStorage();
      });
    }
  }, {
    key: "_emitHttpError",
    value: function _emitHttpError(req, res, message, causingErr) {
      this._emitError(new error_default(message, causingErr, req, res));
    }
  }, {
    key: "_emitError",
    value: function _emitError(err2) {
      var _this5 = this;
      if (this._aborted) return;
      if (this.options.retryDelays != null) {
        var shouldResetDelays = this._offset != null && this._offset > this._offsetBeforeRetry;
        if (shouldResetDelays) {
          this._retryAttempt = 0;
        }
        if (shouldRetry(err2, this._retryAttempt, this.options)) {
          var delay = this.options.retryDelays[this._retryAttempt++];
          this._offsetBeforeRetry = this._offset;
          this._retryTimeout = setTimeout(function() {
            _this5.start();
          }, delay);
          return;
        }
      }
      if (typeof this.options.onError === "function") {
        this.options.onError(err2);
      } else {
        throw err2;
      }
    }
    /**
     * Publishes notification if the upload has been successfully completed.
     *
     * @param {object} lastResponse Last HTTP response.
     * @api private
     */
  }, {
    key: "_emitSuccess",
    value: function _emitSuccess(lastResponse) {
      if (this.options.removeFingerprintOnSuccess) {
        this._removeFromUrlStorage();
      }
      if (typeof this.options.onSuccess === "function") {
        this.options.onSuccess({
          lastResponse
        });
      }
    }
    /**
     * Publishes notification when data has been sent to the server. This
     * data may not have been accepted by the server yet.
     *
     * @param {number} bytesSent  Number of bytes sent to the server.
     * @param {number} bytesTotal Total number of bytes to be sent to the server.
     * @api private
     */
  }, {
    key: "_emitProgress",
    value: function _emitProgress(bytesSent, bytesTotal) {
      if (typeof this.options.onProgress === "function") {
        this.options.onProgress(bytesSent, bytesTotal);
      }
    }
    /**
     * Publishes notification when a chunk of data has been sent to the server
     * and accepted by the server.
     * @param {number} chunkSize  Size of the chunk that was accepted by the server.
     * @param {number} bytesAccepted Total number of bytes that have been
     *                                accepted by the server.
     * @param {number} bytesTotal Total number of bytes to be sent to the server.
     * @api private
     */
  }, {
    key: "_emitChunkComplete",
    value: function _emitChunkComplete(chunkSize, bytesAccepted, bytesTotal) {
      if (typeof this.options.onChunkComplete === "function") {
        this.options.onChunkComplete(chunkSize, bytesAccepted, bytesTotal);
      }
    }
    /**
     * Create a new upload using the creation extension by sending a POST
     * request to the endpoint. After successful creation the file will be
     * uploaded
     *
     * @api private
     */
  }, {
    key: "_createUpload",
    value: function _createUpload() {
      var _this6 = this;
      if (!this.options.endpoint) {
        this._emitError(new Error("tus: unable to create upload because no endpoint is provided"));
        return;
      }
      var req = this._openRequest("POST", this.options.endpoint);
      if (this.options.uploadLengthDeferred) {
        req.setHeader("Upload-Defer-Length", "1");
      } else {
        req.setHeader("Upload-Length", "".concat(this._size));
      }
      var metadata = encodeMetadata(this.options.metadata);
      if (metadata !== "") {
        req.setHeader("Upload-Metadata", metadata);
      }
      var promise;
      if (this.options.uploadDataDuringCreation && !this.options.uploadLengthDeferred) {
        this._offset = 0;
        promise = this._addChunkToRequest(req);
      } else {
        if (this.options.protocol === PROTOCOL_IETF_DRAFT_03 || this.options.protocol === PROTOCOL_IETF_DRAFT_05) {
          req.setHeader("Upload-Complete", "?0");
        }
        promise = this._sendRequest(req, null);
      }
      promise.then(function(res) {
        if (!inStatusCategory(res.getStatus(), 200)) {
          _this6._emitHttpError(req, res, "tus: unexpected response while creating upload");
          return;
        }
        var location2 = res.getHeader("Location");
        if (location2 == null) {
          _this6._emitHttpError(req, res, "tus: invalid or missing Location header");
          return;
        }
        _this6.url = resolveUrl(_this6.options.endpoint, location2);
        log("Created upload at ".concat(_this6.url));
        if (typeof _this6.options.onUploadUrlAvailable === "function") {
          _this6.options.onUploadUrlAvailable();
        }
        if (_this6._size === 0) {
          _this6._emitSuccess(res);
          _this6._source.close();
          return;
        }
        _this6._saveUploadInUrlStorage().then(function() {
          if (_this6.options.uploadDataDuringCreation) {
            _this6._handleUploadResponse(req, res);
          } else {
            _this6._offset = 0;
            _this6._performUpload();
          }
        });
      })["catch"](function(err2) {
        _this6._emitHttpError(req, null, "tus: failed to create upload", err2);
      });
    }
    /*
     * Try to resume an existing upload. First a HEAD request will be sent
     * to retrieve the offset. If the request fails a new upload will be
     * created. In the case of a successful response the file will be uploaded.
     *
     * @api private
     */
  }, {
    key: "_resumeUpload",
    value: function _resumeUpload() {
      var _this7 = this;
      var req = this._openRequest("HEAD", this.url);
      var promise = this._sendRequest(req, null);
      promise.then(function(res) {
        var status = res.getStatus();
        if (!inStatusCategory(status, 200)) {
          if (status === 423) {
            _this7._emitHttpError(req, res, "tus: upload is currently locked; retry later");
            return;
          }
          if (inStatusCategory(status, 400)) {
            _this7._removeFromUrlStorage();
          }
          if (!_this7.options.endpoint) {
            _this7._emitHttpError(req, res, "tus: unable to resume upload (new upload cannot be created without an endpoint)");
            return;
          }
          _this7.url = null;
          _this7._createUpload();
          return;
        }
        var offset = Number.parseInt(res.getHeader("Upload-Offset"), 10);
        if (Number.isNaN(offset)) {
          _this7._emitHttpError(req, res, "tus: invalid or missing offset value");
          return;
        }
        var length = Number.parseInt(res.getHeader("Upload-Length"), 10);
        if (Number.isNaN(length) && !_this7.options.uploadLengthDeferred && _this7.options.protocol === PROTOCOL_TUS_V1) {
          _this7._emitHttpError(req, res, "tus: invalid or missing length value");
          return;
        }
        if (typeof _this7.options.onUploadUrlAvailable === "function") {
          _this7.options.onUploadUrlAvailable();
        }
        _this7._saveUploadInUrlStorage().then(function() {
          if (offset === length) {
            _this7._emitProgress(length, length);
            _this7._emitSuccess(res);
            return;
          }
          _this7._offset = offset;
          _this7._performUpload();
        });
      })["catch"](function(err2) {
        _this7._emitHttpError(req, null, "tus: failed to resume upload", err2);
      });
    }
    /**
     * Start uploading the file using PATCH requests. The file will be divided
     * into chunks as specified in the chunkSize option. During the upload
     * the onProgress event handler may be invoked multiple times.
     *
     * @api private
     */
  }, {
    key: "_performUpload",
    value: function _performUpload() {
      var _this8 = this;
      if (this._aborted) {
        return;
      }
      var req;
      if (this.options.overridePatchMethod) {
        req = this._openRequest("POST", this.url);
        req.setHeader("X-HTTP-Method-Override", "PATCH");
      } else {
        req = this._openRequest("PATCH", this.url);
      }
      req.setHeader("Upload-Offset", "".concat(this._offset));
      var promise = this._addChunkToRequest(req);
      promise.then(function(res) {
        if (!inStatusCategory(res.getStatus(), 200)) {
          _this8._emitHttpError(req, res, "tus: unexpected response while uploading chunk");
          return;
        }
        _this8._handleUploadResponse(req, res);
      })["catch"](function(err2) {
        if (_this8._aborted) {
          return;
        }
        _this8._emitHttpError(req, null, "tus: failed to upload chunk at offset ".concat(_this8._offset), err2);
      });
    }
    /**
     * _addChunktoRequest reads a chunk from the source and sends it using the
     * supplied request object. It will not handle the response.
     *
     * @api private
     */
  }, {
    key: "_addChunkToRequest",
    value: function _addChunkToRequest(req) {
      var _this9 = this;
      var start2 = this._offset;
      var end4 = this._offset + this.options.chunkSize;
      req.setProgressHandler(function(bytesSent) {
        _this9._emitProgress(start2 + bytesSent, _this9._size);
      });
      if (this.options.protocol === PROTOCOL_TUS_V1) {
        req.setHeader("Content-Type", "application/offset+octet-stream");
      } else if (this.options.protocol === PROTOCOL_IETF_DRAFT_05) {
        req.setHeader("Content-Type", "application/partial-upload");
      }
      if ((end4 === Number.POSITIVE_INFINITY || end4 > this._size) && !this.options.uploadLengthDeferred) {
        end4 = this._size;
      }
      return this._source.slice(start2, end4).then(function(_ref2) {
        var value = _ref2.value, done = _ref2.done;
        var valueSize = value !== null && value !== void 0 && value.size ? value.size : 0;
        if (_this9.options.uploadLengthDeferred && done) {
          _this9._size = _this9._offset + valueSize;
          req.setHeader("Upload-Length", "".concat(_this9._size));
        }
        var newSize = _this9._offset + valueSize;
        if (!_this9.options.uploadLengthDeferred && done && newSize !== _this9._size) {
          return Promise.reject(new Error("upload was configured with a size of ".concat(_this9._size, " bytes, but the source is done after ").concat(newSize, " bytes")));
        }
        if (value === null) {
          return _this9._sendRequest(req);
        }
        if (_this9.options.protocol === PROTOCOL_IETF_DRAFT_03 || _this9.options.protocol === PROTOCOL_IETF_DRAFT_05) {
          req.setHeader("Upload-Complete", done ? "?1" : "?0");
        }
        _this9._emitProgress(_this9._offset, _this9._size);
        return _this9._sendRequest(req, value);
      });
    }
    /**
     * _handleUploadResponse is used by requests that haven been sent using _addChunkToRequest
     * and already have received a response.
     *
     * @api private
     */
  }, {
    key: "_handleUploadResponse",
    value: function _handleUploadResponse(req, res) {
      var offset = Number.parseInt(res.getHeader("Upload-Offset"), 10);
      if (Number.isNaN(offset)) {
        this._emitHttpError(req, res, "tus: invalid or missing offset value");
        return;
      }
      this._emitProgress(offset, this._size);
      this._emitChunkComplete(offset - this._offset, offset, this._size);
      this._offset = offset;
      if (offset === this._size) {
        this._emitSuccess(res);
        this._source.close();
        return;
      }
      this._performUpload();
    }
    /**
     * Create a new HTTP request object with the given method and URL.
     *
     * @api private
     */
  }, {
    key: "_openRequest",
    value: function _openRequest(method, url) {
      var req = openRequest(method, url, this.options);
      this._req = req;
      return req;
    }
    /**
     * Remove the entry in the URL storage, if it has been saved before.
     *
     * @api private
     */
  }, {
    key: "_removeFromUrlStorage",
    value: function _removeFromUrlStorage() {
      var _this10 = this;
      if (!this._urlStorageKey) return;
      this._urlStorage.removeUpload(this._urlStorageKey)["catch"](function(err2) {
        _this10._emitError(err2);
      });
      this._urlStorageKey = null;
    }
    /**
     * Add the upload URL to the URL storage, if possible.
     *
     * @api private
     */
  }, {
    key: "_saveUploadInUrlStorage",
    value: function _saveUploadInUrlStorage() {
      var _this11 = this;
      if (!this.options.storeFingerprintForResuming || !this._fingerprint || this._urlStorageKey !== null) {
        return Promise.resolve();
      }
      var storedUpload = {
        size: this._size,
        metadata: this.options.metadata,
        creationTime: (/* @__PURE__ */ new Date()).toString()
      };
      if (this._parallelUploads) {
        storedUpload.parallelUploadUrls = this._parallelUploadUrls;
      } else {
        storedUpload.uploadUrl = this.url;
      }
      return this._urlStorage.addUpload(this._fingerprint, storedUpload).then(function(urlStorageKey) {
        _this11._urlStorageKey = urlStorageKey;
      });
    }
    /**
     * Send a request with the provided body.
     *
     * @api private
     */
  }, {
    key: "_sendRequest",
    value: function _sendRequest(req) {
      var body = arguments.length > 1 && arguments[1] !== void 0 ? arguments[1] : null;
      return sendRequest(req, body, this.options);
    }
  }], [{
    key: "terminate",
    value: function terminate(url) {
      var options = arguments.length > 1 && arguments[1] !== void 0 ? arguments[1] : {};
      var req = openRequest("DELETE", url, options);
      return sendRequest(req, null, options).then(function(res) {
        if (res.getStatus() === 204) {
          return;
        }
        throw new error_default("tus: unexpected response while terminating upload", null, req, res);
      })["catch"](function(err2) {
        if (!(err2 instanceof error_default)) {
          err2 = new error_default("tus: failed to terminate upload", err2, req, null);
        }
        if (!shouldRetry(err2, 0, options)) {
          throw err2;
        }
        var delay = options.retryDelays[0];
        var remainingDelays = options.retryDelays.slice(1);
        var newOptions = _objectSpread(_objectSpread({}, options), {}, {
          retryDelays: remainingDelays
        });
        return new Promise(function(resolve) {
          return setTimeout(resolve, delay);
        }).then(function() {
          return BaseUpload2.terminate(url, newOptions);
        });
      });
    }
  }]);
})();
function encodeMetadata(metadata) {
  return Object.entries(metadata).map(function(_ref3) {
    var _ref4 = _slicedToArray(_ref3, 2), key3 = _ref4[0], value = _ref4[1];
    return "".concat(key3, " ").concat(gBase64.encode(String(value)));
  }).join(",");
}
function inStatusCategory(status, category) {
  return status >= category && status < category + 100;
}
function openRequest(method, url, options) {
  var req = options.httpStack.createRequest(method, url);
  if (options.protocol === PROTOCOL_IETF_DRAFT_03) {
    req.setHeader("Upload-Draft-Interop-Version", "5");
  } else if (options.protocol === PROTOCOL_IETF_DRAFT_05) {
    req.setHeader("Upload-Draft-Interop-Version", "6");
  } else {
    req.setHeader("Tus-Resumable", "1.0.0");
  }
  var headers = options.headers || {};
  for (var _i2 = 0, _Object$entries = Object.entries(headers); _i2 < _Object$entries.length; _i2++) {
    var _Object$entries$_i = _slicedToArray(_Object$entries[_i2], 2), name = _Object$entries$_i[0], value = _Object$entries$_i[1];
    req.setHeader(name, value);
  }
  if (options.addRequestId) {
    var requestId = uuid();
    req.setHeader("X-Request-ID", requestId);
  }
  return req;
}
function sendRequest(_x, _x2, _x3) {
  return _sendRequest2.apply(this, arguments);
}
function _sendRequest2() {
  _sendRequest2 = _asyncToGenerator(/* @__PURE__ */ _regeneratorRuntime().mark(function _callee(req, body, options) {
    var res;
    return _regeneratorRuntime().wrap(function _callee$(_context) {
      while (1) switch (_context.prev = _context.next) {
        case 0:
          if (!(typeof options.onBeforeRequest === "function")) {
            _context.next = 3;
            break;
          }
          _context.next = 3;
          return options.onBeforeRequest(req);
        case 3:
          _context.next = 5;
          return req.send(body);
        case 5:
          res = _context.sent;
          if (!(typeof options.onAfterResponse === "function")) {
            _context.next = 9;
            break;
          }
          _context.next = 9;
          return options.onAfterResponse(req, res);
        case 9:
          return _context.abrupt("return", res);
        case 10:
        case "end":
          return _context.stop();
      }
    }, _callee);
  }));
  return _sendRequest2.apply(this, arguments);
}
function isOnline() {
  var online = true;
  if (typeof navigator !== "undefined" && navigator.onLine === false) {
    online = false;
  }
  return online;
}
function shouldRetry(err2, retryAttempt, options) {
  if (options.retryDelays == null || retryAttempt >= options.retryDelays.length || err2.originalRequest == null) {
    return false;
  }
  if (options && typeof options.onShouldRetry === "function") {
    return options.onShouldRetry(err2, retryAttempt, options);
  }
  return defaultOnShouldRetry(err2);
}
function defaultOnShouldRetry(err2) {
  var status = err2.originalResponse ? err2.originalResponse.getStatus() : 0;
  return (!inStatusCategory(status, 400) || status === 409 || status === 423) && isOnline();
}
function resolveUrl(origin, link) {
  return new import_url_parse.default(link, origin).toString();
}
function splitSizeIntoParts(totalSize, partCount) {
  var partSize = Math.floor(totalSize / partCount);
  var parts = [];
  for (var i4 = 0; i4 < partCount; i4++) {
    parts.push({
      start: partSize * i4,
      end: partSize * (i4 + 1)
    });
  }
  parts[partCount - 1].end = totalSize;
  return parts;
}
BaseUpload.defaultOptions = defaultOptions;
var upload_default = BaseUpload;

// node_modules/tus-js-client/lib.esm/browser/isReactNative.js
var isReactNative = function isReactNative2() {
  return typeof navigator !== "undefined" && typeof navigator.product === "string" && navigator.product.toLowerCase() === "reactnative";
};
var isReactNative_default = isReactNative;

// node_modules/tus-js-client/lib.esm/browser/uriToBlob.js
function uriToBlob(uri) {
  return new Promise(function(resolve, reject) {
    var xhr = new XMLHttpRequest();
    xhr.responseType = "blob";
    xhr.onload = function() {
      var blob = xhr.response;
      resolve(blob);
    };
    xhr.onerror = function(err2) {
      reject(err2);
    };
    xhr.open("GET", uri);
    xhr.send();
  });
}

// node_modules/tus-js-client/lib.esm/browser/sources/isCordova.js
var isCordova = function isCordova2() {
  return typeof window !== "undefined" && (typeof window.PhoneGap !== "undefined" || typeof window.Cordova !== "undefined" || typeof window.cordova !== "undefined");
};
var isCordova_default = isCordova;

// node_modules/tus-js-client/lib.esm/browser/sources/readAsByteArray.js
function readAsByteArray(chunk) {
  return new Promise(function(resolve, reject) {
    var reader = new FileReader();
    reader.onload = function() {
      var value = new Uint8Array(reader.result);
      resolve({
        value
      });
    };
    reader.onerror = function(err2) {
      reject(err2);
    };
    reader.readAsArrayBuffer(chunk);
  });
}

// node_modules/tus-js-client/lib.esm/browser/sources/FileSource.js
function _typeof4(o5) {
  "@babel/helpers - typeof";
  return _typeof4 = "function" == typeof Symbol && "symbol" == typeof Symbol.iterator ? function(o6) {
    return typeof o6;
  } : function(o6) {
    return o6 && "function" == typeof Symbol && o6.constructor === Symbol && o6 !== Symbol.prototype ? "symbol" : typeof o6;
  }, _typeof4(o5);
}
function _classCallCheck4(instance, Constructor) {
  if (!(instance instanceof Constructor)) {
    throw new TypeError("Cannot call a class as a function");
  }
}
function _defineProperties4(target2, props) {
  for (var i4 = 0; i4 < props.length; i4++) {
    var descriptor = props[i4];
    descriptor.enumerable = descriptor.enumerable || false;
    descriptor.configurable = true;
    if ("value" in descriptor) descriptor.writable = true;
    Object.defineProperty(target2, _toPropertyKey4(descriptor.key), descriptor);
  }
}
function _createClass4(Constructor, protoProps, staticProps) {
  if (protoProps) _defineProperties4(Constructor.prototype, protoProps);
  if (staticProps) _defineProperties4(Constructor, staticProps);
  Object.defineProperty(Constructor, "prototype", { writable: false });
  return Constructor;
}
function _toPropertyKey4(t20) {
  var i4 = _toPrimitive4(t20, "string");
  return "symbol" == _typeof4(i4) ? i4 : i4 + "";
}
function _toPrimitive4(t20, r4) {
  if ("object" != _typeof4(t20) || !t20) return t20;
  var e4 = t20[Symbol.toPrimitive];
  if (void 0 !== e4) {
    var i4 = e4.call(t20, r4 || "default");
    if ("object" != _typeof4(i4)) return i4;
    throw new TypeError("@@toPrimitive must return a primitive value.");
  }
  return ("string" === r4 ? String : Number)(t20);
}
var FileSource = /* @__PURE__ */ (function() {
  function FileSource2(file3) {
    _classCallCheck4(this, FileSource2);
    this._file = file3;
    this.size = file3.size;
  }
  return _createClass4(FileSource2, [{
    key: "slice",
    value: function slice(start2, end4) {
      if (isCordova_default()) {
        return readAsByteArray(this._file.slice(start2, end4));
      }
      var value = this._file.slice(start2, end4);
      var done = end4 >= this.size;
      return Promise.resolve({
        value,
        done
      });
    }
  }, {
    key: "close",
    value: function close() {
    }
  }]);
})();

// node_modules/tus-js-client/lib.esm/browser/sources/StreamSource.js
function _typeof5(o5) {
  "@babel/helpers - typeof";
  return _typeof5 = "function" == typeof Symbol && "symbol" == typeof Symbol.iterator ? function(o6) {
    return typeof o6;
  } : function(o6) {
    return o6 && "function" == typeof Symbol && o6.constructor === Symbol && o6 !== Symbol.prototype ? "symbol" : typeof o6;
  }, _typeof5(o5);
}
function _classCallCheck5(instance, Constructor) {
  if (!(instance instanceof Constructor)) {
    throw new TypeError("Cannot call a class as a function");
  }
}
function _defineProperties5(target2, props) {
  for (var i4 = 0; i4 < props.length; i4++) {
    var descriptor = props[i4];
    descriptor.enumerable = descriptor.enumerable || false;
    descriptor.configurable = true;
    if ("value" in descriptor) descriptor.writable = true;
    Object.defineProperty(target2, _toPropertyKey5(descriptor.key), descriptor);
  }
}
function _createClass5(Constructor, protoProps, staticProps) {
  if (protoProps) _defineProperties5(Constructor.prototype, protoProps);
  if (staticProps) _defineProperties5(Constructor, staticProps);
  Object.defineProperty(Constructor, "prototype", { writable: false });
  return Constructor;
}
function _toPropertyKey5(t20) {
  var i4 = _toPrimitive5(t20, "string");
  return "symbol" == _typeof5(i4) ? i4 : i4 + "";
}
function _toPrimitive5(t20, r4) {
  if ("object" != _typeof5(t20) || !t20) return t20;
  var e4 = t20[Symbol.toPrimitive];
  if (void 0 !== e4) {
    var i4 = e4.call(t20, r4 || "default");
    if ("object" != _typeof5(i4)) return i4;
    throw new TypeError("@@toPrimitive must return a primitive value.");
  }
  return ("string" === r4 ? String : Number)(t20);
}
function len(blobOrArray) {
  if (blobOrArray === void 0) return 0;
  if (blobOrArray.size !== void 0) return blobOrArray.size;
  return blobOrArray.length;
}
function concat(a5, b4) {
  if (a5.concat) {
    return a5.concat(b4);
  }
  if (a5 instanceof Blob) {
    return new Blob([a5, b4], {
      type: a5.type
    });
  }
  if (a5.set) {
    var c4 = new a5.constructor(a5.length + b4.length);
    c4.set(a5);
    c4.set(b4, a5.length);
    return c4;
  }
  throw new Error("Unknown data type");
}
var StreamSource = /* @__PURE__ */ (function() {
  function StreamSource2(reader) {
    _classCallCheck5(this, StreamSource2);
    this._buffer = void 0;
    this._bufferOffset = 0;
    this._reader = reader;
    this._done = false;
  }
  return _createClass5(StreamSource2, [{
    key: "slice",
    value: function slice(start2, end4) {
      if (start2 < this._bufferOffset) {
        return Promise.reject(new Error("Requested data is before the reader's current offset"));
      }
      return this._readUntilEnoughDataOrDone(start2, end4);
    }
  }, {
    key: "_readUntilEnoughDataOrDone",
    value: function _readUntilEnoughDataOrDone(start2, end4) {
      var _this = this;
      var hasEnoughData = end4 <= this._bufferOffset + len(this._buffer);
      if (this._done || hasEnoughData) {
        var value = this._getDataFromBuffer(start2, end4);
        var done = value == null ? this._done : false;
        return Promise.resolve({
          value,
          done
        });
      }
      return this._reader.read().then(function(_ref) {
        var value2 = _ref.value, done2 = _ref.done;
        if (done2) {
          _this._done = true;
        } else if (_this._buffer === void 0) {
          _this._buffer = value2;
        } else {
          _this._buffer = concat(_this._buffer, value2);
        }
        return _this._readUntilEnoughDataOrDone(start2, end4);
      });
    }
  }, {
    key: "_getDataFromBuffer",
    value: function _getDataFromBuffer(start2, end4) {
      if (start2 > this._bufferOffset) {
        this._buffer = this._buffer.slice(start2 - this._bufferOffset);
        this._bufferOffset = start2;
      }
      var hasAllDataBeenRead = len(this._buffer) === 0;
      if (this._done && hasAllDataBeenRead) {
        return null;
      }
      return this._buffer.slice(0, end4 - start2);
    }
  }, {
    key: "close",
    value: function close() {
      if (this._reader.cancel) {
        this._reader.cancel();
      }
    }
  }]);
})();

// node_modules/tus-js-client/lib.esm/browser/fileReader.js
function _typeof6(o5) {
  "@babel/helpers - typeof";
  return _typeof6 = "function" == typeof Symbol && "symbol" == typeof Symbol.iterator ? function(o6) {
    return typeof o6;
  } : function(o6) {
    return o6 && "function" == typeof Symbol && o6.constructor === Symbol && o6 !== Symbol.prototype ? "symbol" : typeof o6;
  }, _typeof6(o5);
}
function _regeneratorRuntime2() {
  "use strict";
  _regeneratorRuntime2 = function _regeneratorRuntime3() {
    return e4;
  };
  var t20, e4 = {}, r4 = Object.prototype, n3 = r4.hasOwnProperty, o5 = Object.defineProperty || function(t21, e5, r5) {
    t21[e5] = r5.value;
  }, i4 = "function" == typeof Symbol ? Symbol : {}, a5 = i4.iterator || "@@iterator", c4 = i4.asyncIterator || "@@asyncIterator", u4 = i4.toStringTag || "@@toStringTag";
  function define(t21, e5, r5) {
    return Object.defineProperty(t21, e5, { value: r5, enumerable: true, configurable: true, writable: true }), t21[e5];
  }
  try {
    define({}, "");
  } catch (t21) {
    define = function define2(t22, e5, r5) {
      return t22[e5] = r5;
    };
  }
  function wrap(t21, e5, r5, n4) {
    var i5 = e5 && e5.prototype instanceof Generator ? e5 : Generator, a6 = Object.create(i5.prototype), c5 = new Context(n4 || []);
    return o5(a6, "_invoke", { value: makeInvokeMethod(t21, r5, c5) }), a6;
  }
  function tryCatch(t21, e5, r5) {
    try {
      return { type: "normal", arg: t21.call(e5, r5) };
    } catch (t22) {
      return { type: "throw", arg: t22 };
    }
  }
  e4.wrap = wrap;
  var h5 = "suspendedStart", l4 = "suspendedYield", f5 = "executing", s4 = "completed", y5 = {};
  function Generator() {
  }
  function GeneratorFunction() {
  }
  function GeneratorFunctionPrototype() {
  }
  var p5 = {};
  define(p5, a5, function() {
    return this;
  });
  var d5 = Object.getPrototypeOf, v4 = d5 && d5(d5(values([])));
  v4 && v4 !== r4 && n3.call(v4, a5) && (p5 = v4);
  var g5 = GeneratorFunctionPrototype.prototype = Generator.prototype = Object.create(p5);
  function defineIteratorMethods(t21) {
    ["next", "throw", "return"].forEach(function(e5) {
      define(t21, e5, function(t22) {
        return this._invoke(e5, t22);
      });
    });
  }
  function AsyncIterator(t21, e5) {
    function invoke(r6, o6, i5, a6) {
      var c5 = tryCatch(t21[r6], t21, o6);
      if ("throw" !== c5.type) {
        var u5 = c5.arg, h6 = u5.value;
        return h6 && "object" == _typeof6(h6) && n3.call(h6, "__await") ? e5.resolve(h6.__await).then(function(t22) {
          invoke("next", t22, i5, a6);
        }, function(t22) {
          invoke("throw", t22, i5, a6);
        }) : e5.resolve(h6).then(function(t22) {
          u5.value = t22, i5(u5);
        }, function(t22) {
          return invoke("throw", t22, i5, a6);
        });
      }
      a6(c5.arg);
    }
    var r5;
    o5(this, "_invoke", { value: function value(t22, n4) {
      function callInvokeWithMethodAndArg() {
        return new e5(function(e6, r6) {
          invoke(t22, n4, e6, r6);
        });
      }
      return r5 = r5 ? r5.then(callInvokeWithMethodAndArg, callInvokeWithMethodAndArg) : callInvokeWithMethodAndArg();
    } });
  }
  function makeInvokeMethod(e5, r5, n4) {
    var o6 = h5;
    return function(i5, a6) {
      if (o6 === f5) throw Error("Generator is already running");
      if (o6 === s4) {
        if ("throw" === i5) throw a6;
        return { value: t20, done: true };
      }
      for (n4.method = i5, n4.arg = a6; ; ) {
        var c5 = n4.delegate;
        if (c5) {
          var u5 = maybeInvokeDelegate(c5, n4);
          if (u5) {
            if (u5 === y5) continue;
            return u5;
          }
        }
        if ("next" === n4.method) n4.sent = n4._sent = n4.arg;
        else if ("throw" === n4.method) {
          if (o6 === h5) throw o6 = s4, n4.arg;
          n4.dispatchException(n4.arg);
        } else "return" === n4.method && n4.abrupt("return", n4.arg);
        o6 = f5;
        var p6 = tryCatch(e5, r5, n4);
        if ("normal" === p6.type) {
          if (o6 = n4.done ? s4 : l4, p6.arg === y5) continue;
          return { value: p6.arg, done: n4.done };
        }
        "throw" === p6.type && (o6 = s4, n4.method = "throw", n4.arg = p6.arg);
      }
    };
  }
  function maybeInvokeDelegate(e5, r5) {
    var n4 = r5.method, o6 = e5.iterator[n4];
    if (o6 === t20) return r5.delegate = null, "throw" === n4 && e5.iterator["return"] && (r5.method = "return", r5.arg = t20, maybeInvokeDelegate(e5, r5), "throw" === r5.method) || "return" !== n4 && (r5.method = "throw", r5.arg = new TypeError("The iterator does not provide a '" + n4 + "' method")), y5;
    var i5 = tryCatch(o6, e5.iterator, r5.arg);
    if ("throw" === i5.type) return r5.method = "throw", r5.arg = i5.arg, r5.delegate = null, y5;
    var a6 = i5.arg;
    return a6 ? a6.done ? (r5[e5.resultName] = a6.value, r5.next = e5.nextLoc, "return" !== r5.method && (r5.method = "next", r5.arg = t20), r5.delegate = null, y5) : a6 : (r5.method = "throw", r5.arg = new TypeError("iterator result is not an object"), r5.delegate = null, y5);
  }
  function pushTryEntry(t21) {
    var e5 = { tryLoc: t21[0] };
    1 in t21 && (e5.catchLoc = t21[1]), 2 in t21 && (e5.finallyLoc = t21[2], e5.afterLoc = t21[3]), this.tryEntries.push(e5);
  }
  function resetTryEntry(t21) {
    var e5 = t21.completion || {};
    e5.type = "normal", delete e5.arg, t21.completion = e5;
  }
  function Context(t21) {
    this.tryEntries = [{ tryLoc: "root" }], t21.forEach(pushTryEntry, this), this.reset(true);
  }
  function values(e5) {
    if (e5 || "" === e5) {
      var r5 = e5[a5];
      if (r5) return r5.call(e5);
      if ("function" == typeof e5.next) return e5;
      if (!isNaN(e5.length)) {
        var o6 = -1, i5 = function next() {
          for (; ++o6 < e5.length; ) if (n3.call(e5, o6)) return next.value = e5[o6], next.done = false, next;
          return next.value = t20, next.done = true, next;
        };
        return i5.next = i5;
      }
    }
    throw new TypeError(_typeof6(e5) + " is not iterable");
  }
  return GeneratorFunction.prototype = GeneratorFunctionPrototype, o5(g5, "constructor", { value: GeneratorFunctionPrototype, configurable: true }), o5(GeneratorFunctionPrototype, "constructor", { value: GeneratorFunction, configurable: true }), GeneratorFunction.displayName = define(GeneratorFunctionPrototype, u4, "GeneratorFunction"), e4.isGeneratorFunction = function(t21) {
    var e5 = "function" == typeof t21 && t21.constructor;
    return !!e5 && (e5 === GeneratorFunction || "GeneratorFunction" === (e5.displayName || e5.name));
  }, e4.mark = function(t21) {
    return Object.setPrototypeOf ? Object.setPrototypeOf(t21, GeneratorFunctionPrototype) : (t21.__proto__ = GeneratorFunctionPrototype, define(t21, u4, "GeneratorFunction")), t21.prototype = Object.create(g5), t21;
  }, e4.awrap = function(t21) {
    return { __await: t21 };
  }, defineIteratorMethods(AsyncIterator.prototype), define(AsyncIterator.prototype, c4, function() {
    return this;
  }), e4.AsyncIterator = AsyncIterator, e4.async = function(t21, r5, n4, o6, i5) {
    void 0 === i5 && (i5 = Promise);
    var a6 = new AsyncIterator(wrap(t21, r5, n4, o6), i5);
    return e4.isGeneratorFunction(r5) ? a6 : a6.next().then(function(t22) {
      return t22.done ? t22.value : a6.next();
    });
  }, defineIteratorMethods(g5), define(g5, u4, "Generator"), define(g5, a5, function() {
    return this;
  }), define(g5, "toString", function() {
    return "[object Generator]";
  }), e4.keys = function(t21) {
    var e5 = Object(t21), r5 = [];
    for (var n4 in e5) r5.push(n4);
    return r5.reverse(), function next() {
      for (; r5.length; ) {
        var t22 = r5.pop();
        if (t22 in e5) return next.value = t22, next.done = false, next;
      }
      return next.done = true, next;
    };
  }, e4.values = values, Context.prototype = { constructor: Context, reset: function reset(e5) {
    if (this.prev = 0, this.next = 0, this.sent = this._sent = t20, this.done = false, this.delegate = null, this.method = "next", this.arg = t20, this.tryEntries.forEach(resetTryEntry), !e5) for (var r5 in this) "t" === r5.charAt(0) && n3.call(this, r5) && !isNaN(+r5.slice(1)) && (this[r5] = t20);
  }, stop: function stop() {
    this.done = true;
    var t21 = this.tryEntries[0].completion;
    if ("throw" === t21.type) throw t21.arg;
    return this.rval;
  }, dispatchException: function dispatchException(e5) {
    if (this.done) throw e5;
    var r5 = this;
    function handle(n4, o7) {
      return a6.type = "throw", a6.arg = e5, r5.next = n4, o7 && (r5.method = "next", r5.arg = t20), !!o7;
    }
    for (var o6 = this.tryEntries.length - 1; o6 >= 0; --o6) {
      var i5 = this.tryEntries[o6], a6 = i5.completion;
      if ("root" === i5.tryLoc) return handle("end");
      if (i5.tryLoc <= this.prev) {
        var c5 = n3.call(i5, "catchLoc"), u5 = n3.call(i5, "finallyLoc");
        if (c5 && u5) {
          if (this.prev < i5.catchLoc) return handle(i5.catchLoc, true);
          if (this.prev < i5.finallyLoc) return handle(i5.finallyLoc);
        } else if (c5) {
          if (this.prev < i5.catchLoc) return handle(i5.catchLoc, true);
        } else {
          if (!u5) throw Error("try statement without catch or finally");
          if (this.prev < i5.finallyLoc) return handle(i5.finallyLoc);
        }
      }
    }
  }, abrupt: function abrupt(t21, e5) {
    for (var r5 = this.tryEntries.length - 1; r5 >= 0; --r5) {
      var o6 = this.tryEntries[r5];
      if (o6.tryLoc <= this.prev && n3.call(o6, "finallyLoc") && this.prev < o6.finallyLoc) {
        var i5 = o6;
        break;
      }
    }
    i5 && ("break" === t21 || "continue" === t21) && i5.tryLoc <= e5 && e5 <= i5.finallyLoc && (i5 = null);
    var a6 = i5 ? i5.completion : {};
    return a6.type = t21, a6.arg = e5, i5 ? (this.method = "next", this.next = i5.finallyLoc, y5) : this.complete(a6);
  }, complete: function complete(t21, e5) {
    if ("throw" === t21.type) throw t21.arg;
    return "break" === t21.type || "continue" === t21.type ? this.next = t21.arg : "return" === t21.type ? (this.rval = this.arg = t21.arg, this.method = "return", this.next = "end") : "normal" === t21.type && e5 && (this.next = e5), y5;
  }, finish: function finish(t21) {
    for (var e5 = this.tryEntries.length - 1; e5 >= 0; --e5) {
      var r5 = this.tryEntries[e5];
      if (r5.finallyLoc === t21) return this.complete(r5.completion, r5.afterLoc), resetTryEntry(r5), y5;
    }
  }, "catch": function _catch(t21) {
    for (var e5 = this.tryEntries.length - 1; e5 >= 0; --e5) {
      var r5 = this.tryEntries[e5];
      if (r5.tryLoc === t21) {
        var n4 = r5.completion;
        if ("throw" === n4.type) {
          var o6 = n4.arg;
          resetTryEntry(r5);
        }
        return o6;
      }
    }
    throw Error("illegal catch attempt");
  }, delegateYield: function delegateYield(e5, r5, n4) {
    return this.delegate = { iterator: values(e5), resultName: r5, nextLoc: n4 }, "next" === this.method && (this.arg = t20), y5;
  } }, e4;
}
function asyncGeneratorStep2(gen, resolve, reject, _next, _throw, key3, arg) {
  try {
    var info = gen[key3](arg);
    var value = info.value;
  } catch (error) {
    reject(error);
    return;
  }
  if (info.done) {
    resolve(value);
  } else {
    Promise.resolve(value).then(_next, _throw);
  }
}
function _asyncToGenerator2(fn) {
  return function() {
    var self2 = this, args = arguments;
    return new Promise(function(resolve, reject) {
      var gen = fn.apply(self2, args);
      function _next(value) {
        asyncGeneratorStep2(gen, resolve, reject, _next, _throw, "next", value);
      }
      function _throw(err2) {
        asyncGeneratorStep2(gen, resolve, reject, _next, _throw, "throw", err2);
      }
      _next(void 0);
    });
  };
}
function _classCallCheck6(instance, Constructor) {
  if (!(instance instanceof Constructor)) {
    throw new TypeError("Cannot call a class as a function");
  }
}
function _defineProperties6(target2, props) {
  for (var i4 = 0; i4 < props.length; i4++) {
    var descriptor = props[i4];
    descriptor.enumerable = descriptor.enumerable || false;
    descriptor.configurable = true;
    if ("value" in descriptor) descriptor.writable = true;
    Object.defineProperty(target2, _toPropertyKey6(descriptor.key), descriptor);
  }
}
function _createClass6(Constructor, protoProps, staticProps) {
  if (protoProps) _defineProperties6(Constructor.prototype, protoProps);
  if (staticProps) _defineProperties6(Constructor, staticProps);
  Object.defineProperty(Constructor, "prototype", { writable: false });
  return Constructor;
}
function _toPropertyKey6(t20) {
  var i4 = _toPrimitive6(t20, "string");
  return "symbol" == _typeof6(i4) ? i4 : i4 + "";
}
function _toPrimitive6(t20, r4) {
  if ("object" != _typeof6(t20) || !t20) return t20;
  var e4 = t20[Symbol.toPrimitive];
  if (void 0 !== e4) {
    var i4 = e4.call(t20, r4 || "default");
    if ("object" != _typeof6(i4)) return i4;
    throw new TypeError("@@toPrimitive must return a primitive value.");
  }
  return ("string" === r4 ? String : Number)(t20);
}
var FileReader2 = /* @__PURE__ */ (function() {
  function FileReader3() {
    _classCallCheck6(this, FileReader3);
  }
  return _createClass6(FileReader3, [{
    key: "openFile",
    value: (function() {
      var _openFile = _asyncToGenerator2(/* @__PURE__ */ _regeneratorRuntime2().mark(function _callee(input, chunkSize) {
        var blob;
        return _regeneratorRuntime2().wrap(function _callee$(_context) {
          while (1) switch (_context.prev = _context.next) {
            case 0:
              if (!(isReactNative_default() && input && typeof input.uri !== "undefined")) {
                _context.next = 11;
                break;
              }
              _context.prev = 1;
              _context.next = 4;
              return uriToBlob(input.uri);
            case 4:
              blob = _context.sent;
              return _context.abrupt("return", new FileSource(blob));
            case 8:
              _context.prev = 8;
              _context.t0 = _context["catch"](1);
              throw new Error("tus: cannot fetch `file.uri` as Blob, make sure the uri is correct and accessible. ".concat(_context.t0));
            case 11:
              if (!(typeof input.slice === "function" && typeof input.size !== "undefined")) {
                _context.next = 13;
                break;
              }
              return _context.abrupt("return", Promise.resolve(new FileSource(input)));
            case 13:
              if (!(typeof input.read === "function")) {
                _context.next = 18;
                break;
              }
              chunkSize = Number(chunkSize);
              if (Number.isFinite(chunkSize)) {
                _context.next = 17;
                break;
              }
              return _context.abrupt("return", Promise.reject(new Error("cannot create source for stream without a finite value for the `chunkSize` option")));
            case 17:
              return _context.abrupt("return", Promise.resolve(new StreamSource(input, chunkSize)));
            case 18:
              return _context.abrupt("return", Promise.reject(new Error("source object may only be an instance of File, Blob, or Reader in this environment")));
            case 19:
            case "end":
              return _context.stop();
          }
        }, _callee, null, [[1, 8]]);
      }));
      function openFile(_x, _x2) {
        return _openFile.apply(this, arguments);
      }
      return openFile;
    })()
  }]);
})();

// node_modules/tus-js-client/lib.esm/browser/fileSignature.js
function fingerprint(file3, options) {
  if (isReactNative_default()) {
    return Promise.resolve(reactNativeFingerprint(file3, options));
  }
  return Promise.resolve(["tus-br", file3.name, file3.type, file3.size, file3.lastModified, options.endpoint].join("-"));
}
function reactNativeFingerprint(file3, options) {
  var exifHash = file3.exif ? hashCode(JSON.stringify(file3.exif)) : "noexif";
  return ["tus-rn", file3.name || "noname", file3.size || "nosize", exifHash, options.endpoint].join("/");
}
function hashCode(str) {
  var hash = 0;
  if (str.length === 0) {
    return hash;
  }
  for (var i4 = 0; i4 < str.length; i4++) {
    var _char = str.charCodeAt(i4);
    hash = (hash << 5) - hash + _char;
    hash &= hash;
  }
  return hash;
}

// node_modules/tus-js-client/lib.esm/browser/httpStack.js
function _typeof7(o5) {
  "@babel/helpers - typeof";
  return _typeof7 = "function" == typeof Symbol && "symbol" == typeof Symbol.iterator ? function(o6) {
    return typeof o6;
  } : function(o6) {
    return o6 && "function" == typeof Symbol && o6.constructor === Symbol && o6 !== Symbol.prototype ? "symbol" : typeof o6;
  }, _typeof7(o5);
}
function _classCallCheck7(instance, Constructor) {
  if (!(instance instanceof Constructor)) {
    throw new TypeError("Cannot call a class as a function");
  }
}
function _defineProperties7(target2, props) {
  for (var i4 = 0; i4 < props.length; i4++) {
    var descriptor = props[i4];
    descriptor.enumerable = descriptor.enumerable || false;
    descriptor.configurable = true;
    if ("value" in descriptor) descriptor.writable = true;
    Object.defineProperty(target2, _toPropertyKey7(descriptor.key), descriptor);
  }
}
function _createClass7(Constructor, protoProps, staticProps) {
  if (protoProps) _defineProperties7(Constructor.prototype, protoProps);
  if (staticProps) _defineProperties7(Constructor, staticProps);
  Object.defineProperty(Constructor, "prototype", { writable: false });
  return Constructor;
}
function _toPropertyKey7(t20) {
  var i4 = _toPrimitive7(t20, "string");
  return "symbol" == _typeof7(i4) ? i4 : i4 + "";
}
function _toPrimitive7(t20, r4) {
  if ("object" != _typeof7(t20) || !t20) return t20;
  var e4 = t20[Symbol.toPrimitive];
  if (void 0 !== e4) {
    var i4 = e4.call(t20, r4 || "default");
    if ("object" != _typeof7(i4)) return i4;
    throw new TypeError("@@toPrimitive must return a primitive value.");
  }
  return ("string" === r4 ? String : Number)(t20);
}
var XHRHttpStack = /* @__PURE__ */ (function() {
  function XHRHttpStack2() {
    _classCallCheck7(this, XHRHttpStack2);
  }
  return _createClass7(XHRHttpStack2, [{
    key: "createRequest",
    value: function createRequest(method, url) {
      return new Request(method, url);
    }
  }, {
    key: "getName",
    value: function getName() {
      return "XHRHttpStack";
    }
  }]);
})();
var Request = /* @__PURE__ */ (function() {
  function Request3(method, url) {
    _classCallCheck7(this, Request3);
    this._xhr = new XMLHttpRequest();
    this._xhr.open(method, url, true);
    this._method = method;
    this._url = url;
    this._headers = {};
  }
  return _createClass7(Request3, [{
    key: "getMethod",
    value: function getMethod() {
      return this._method;
    }
  }, {
    key: "getURL",
    value: function getURL() {
      return this._url;
    }
  }, {
    key: "setHeader",
    value: function setHeader(header, value) {
      this._xhr.setRequestHeader(header, value);
      this._headers[header] = value;
    }
  }, {
    key: "getHeader",
    value: function getHeader(header) {
      return this._headers[header];
    }
  }, {
    key: "setProgressHandler",
    value: function setProgressHandler(progressHandler) {
      if (!("upload" in this._xhr)) {
        return;
      }
      this._xhr.upload.onprogress = function(e4) {
        if (!e4.lengthComputable) {
          return;
        }
        progressHandler(e4.loaded);
      };
    }
  }, {
    key: "send",
    value: function send4() {
      var _this = this;
      var body = arguments.length > 0 && arguments[0] !== void 0 ? arguments[0] : null;
      return new Promise(function(resolve, reject) {
        _this._xhr.onload = function() {
          resolve(new Response2(_this._xhr));
        };
        _this._xhr.onerror = function(err2) {
          reject(err2);
        };
        _this._xhr.send(body);
      });
    }
  }, {
    key: "abort",
    value: function abort() {
      this._xhr.abort();
      return Promise.resolve();
    }
  }, {
    key: "getUnderlyingObject",
    value: function getUnderlyingObject() {
      return this._xhr;
    }
  }]);
})();
var Response2 = /* @__PURE__ */ (function() {
  function Response3(xhr) {
    _classCallCheck7(this, Response3);
    this._xhr = xhr;
  }
  return _createClass7(Response3, [{
    key: "getStatus",
    value: function getStatus() {
      return this._xhr.status;
    }
  }, {
    key: "getHeader",
    value: function getHeader(header) {
      return this._xhr.getResponseHeader(header);
    }
  }, {
    key: "getBody",
    value: function getBody() {
      return this._xhr.responseText;
    }
  }, {
    key: "getUnderlyingObject",
    value: function getUnderlyingObject() {
      return this._xhr;
    }
  }]);
})();

// node_modules/tus-js-client/lib.esm/browser/urlStorage.js
function _typeof8(o5) {
  "@babel/helpers - typeof";
  return _typeof8 = "function" == typeof Symbol && "symbol" == typeof Symbol.iterator ? function(o6) {
    return typeof o6;
  } : function(o6) {
    return o6 && "function" == typeof Symbol && o6.constructor === Symbol && o6 !== Symbol.prototype ? "symbol" : typeof o6;
  }, _typeof8(o5);
}
function _classCallCheck8(instance, Constructor) {
  if (!(instance instanceof Constructor)) {
    throw new TypeError("Cannot call a class as a function");
  }
}
function _defineProperties8(target2, props) {
  for (var i4 = 0; i4 < props.length; i4++) {
    var descriptor = props[i4];
    descriptor.enumerable = descriptor.enumerable || false;
    descriptor.configurable = true;
    if ("value" in descriptor) descriptor.writable = true;
    Object.defineProperty(target2, _toPropertyKey8(descriptor.key), descriptor);
  }
}
function _createClass8(Constructor, protoProps, staticProps) {
  if (protoProps) _defineProperties8(Constructor.prototype, protoProps);
  if (staticProps) _defineProperties8(Constructor, staticProps);
  Object.defineProperty(Constructor, "prototype", { writable: false });
  return Constructor;
}
function _toPropertyKey8(t20) {
  var i4 = _toPrimitive8(t20, "string");
  return "symbol" == _typeof8(i4) ? i4 : i4 + "";
}
function _toPrimitive8(t20, r4) {
  if ("object" != _typeof8(t20) || !t20) return t20;
  var e4 = t20[Symbol.toPrimitive];
  if (void 0 !== e4) {
    var i4 = e4.call(t20, r4 || "default");
    if ("object" != _typeof8(i4)) return i4;
    throw new TypeError("@@toPrimitive must return a primitive value.");
  }
  return ("string" === r4 ? String : Number)(t20);
}
var hasStorage = false;
try {
  hasStorage = "localStorage" in window;
  key = "tusSupport";
  originalValue = localStorage.getItem(key);
  localStorage.setItem(key, originalValue);
  if (originalValue === null) localStorage.removeItem(key);
} catch (e4) {
  if (e4.code === e4.SECURITY_ERR || e4.code === e4.QUOTA_EXCEEDED_ERR) {
    hasStorage = false;
  } else {
    throw e4;
  }
}
var key;
var originalValue;
var canStoreURLs = hasStorage;
var WebStorageUrlStorage = /* @__PURE__ */ (function() {
  function WebStorageUrlStorage2() {
    _classCallCheck8(this, WebStorageUrlStorage2);
  }
  return _createClass8(WebStorageUrlStorage2, [{
    key: "findAllUploads",
    value: function findAllUploads() {
      var results = this._findEntries("tus::");
      return Promise.resolve(results);
    }
  }, {
    key: "findUploadsByFingerprint",
    value: function findUploadsByFingerprint(fingerprint2) {
      var results = this._findEntries("tus::".concat(fingerprint2, "::"));
      return Promise.resolve(results);
    }
  }, {
    key: "removeUpload",
    value: function removeUpload(urlStorageKey) {
      localStorage.removeItem(urlStorageKey);
      return Promise.resolve();
    }
  }, {
    key: "addUpload",
    value: function addUpload(fingerprint2, upload2) {
      var id = Math.round(Math.random() * 1e12);
      var key3 = "tus::".concat(fingerprint2, "::").concat(id);
      localStorage.setItem(key3, JSON.stringify(upload2));
      return Promise.resolve(key3);
    }
  }, {
    key: "_findEntries",
    value: function _findEntries(prefix) {
      var results = [];
      for (var i4 = 0; i4 < localStorage.length; i4++) {
        var _key = localStorage.key(i4);
        if (_key.indexOf(prefix) !== 0) continue;
        try {
          var upload2 = JSON.parse(localStorage.getItem(_key));
          upload2.urlStorageKey = _key;
          results.push(upload2);
        } catch (_e) {
        }
      }
      return results;
    }
  }]);
})();

// node_modules/tus-js-client/lib.esm/browser/index.js
function _typeof9(o5) {
  "@babel/helpers - typeof";
  return _typeof9 = "function" == typeof Symbol && "symbol" == typeof Symbol.iterator ? function(o6) {
    return typeof o6;
  } : function(o6) {
    return o6 && "function" == typeof Symbol && o6.constructor === Symbol && o6 !== Symbol.prototype ? "symbol" : typeof o6;
  }, _typeof9(o5);
}
function _classCallCheck9(instance, Constructor) {
  if (!(instance instanceof Constructor)) {
    throw new TypeError("Cannot call a class as a function");
  }
}
function _defineProperties9(target2, props) {
  for (var i4 = 0; i4 < props.length; i4++) {
    var descriptor = props[i4];
    descriptor.enumerable = descriptor.enumerable || false;
    descriptor.configurable = true;
    if ("value" in descriptor) descriptor.writable = true;
    Object.defineProperty(target2, _toPropertyKey9(descriptor.key), descriptor);
  }
}
function _createClass9(Constructor, protoProps, staticProps) {
  if (protoProps) _defineProperties9(Constructor.prototype, protoProps);
  if (staticProps) _defineProperties9(Constructor, staticProps);
  Object.defineProperty(Constructor, "prototype", { writable: false });
  return Constructor;
}
function _callSuper2(t20, o5, e4) {
  return o5 = _getPrototypeOf2(o5), _possibleConstructorReturn2(t20, _isNativeReflectConstruct2() ? Reflect.construct(o5, e4 || [], _getPrototypeOf2(t20).constructor) : o5.apply(t20, e4));
}
function _possibleConstructorReturn2(self2, call2) {
  if (call2 && (_typeof9(call2) === "object" || typeof call2 === "function")) {
    return call2;
  } else if (call2 !== void 0) {
    throw new TypeError("Derived constructors may only return object or undefined");
  }
  return _assertThisInitialized2(self2);
}
function _assertThisInitialized2(self2) {
  if (self2 === void 0) {
    throw new ReferenceError("this hasn't been initialised - super() hasn't been called");
  }
  return self2;
}
function _isNativeReflectConstruct2() {
  try {
    var t20 = !Boolean.prototype.valueOf.call(Reflect.construct(Boolean, [], function() {
    }));
  } catch (t21) {
  }
  return (_isNativeReflectConstruct2 = function _isNativeReflectConstruct3() {
    return !!t20;
  })();
}
function _getPrototypeOf2(o5) {
  _getPrototypeOf2 = Object.setPrototypeOf ? Object.getPrototypeOf.bind() : function _getPrototypeOf3(o6) {
    return o6.__proto__ || Object.getPrototypeOf(o6);
  };
  return _getPrototypeOf2(o5);
}
function _inherits2(subClass, superClass) {
  if (typeof superClass !== "function" && superClass !== null) {
    throw new TypeError("Super expression must either be null or a function");
  }
  subClass.prototype = Object.create(superClass && superClass.prototype, { constructor: { value: subClass, writable: true, configurable: true } });
  Object.defineProperty(subClass, "prototype", { writable: false });
  if (superClass) _setPrototypeOf2(subClass, superClass);
}
function _setPrototypeOf2(o5, p5) {
  _setPrototypeOf2 = Object.setPrototypeOf ? Object.setPrototypeOf.bind() : function _setPrototypeOf3(o6, p6) {
    o6.__proto__ = p6;
    return o6;
  };
  return _setPrototypeOf2(o5, p5);
}
function ownKeys2(e4, r4) {
  var t20 = Object.keys(e4);
  if (Object.getOwnPropertySymbols) {
    var o5 = Object.getOwnPropertySymbols(e4);
    r4 && (o5 = o5.filter(function(r5) {
      return Object.getOwnPropertyDescriptor(e4, r5).enumerable;
    })), t20.push.apply(t20, o5);
  }
  return t20;
}
function _objectSpread2(e4) {
  for (var r4 = 1; r4 < arguments.length; r4++) {
    var t20 = null != arguments[r4] ? arguments[r4] : {};
    r4 % 2 ? ownKeys2(Object(t20), true).forEach(function(r5) {
      _defineProperty2(e4, r5, t20[r5]);
    }) : Object.getOwnPropertyDescriptors ? Object.defineProperties(e4, Object.getOwnPropertyDescriptors(t20)) : ownKeys2(Object(t20)).forEach(function(r5) {
      Object.defineProperty(e4, r5, Object.getOwnPropertyDescriptor(t20, r5));
    });
  }
  return e4;
}
function _defineProperty2(obj, key3, value) {
  key3 = _toPropertyKey9(key3);
  if (key3 in obj) {
    Object.defineProperty(obj, key3, { value, enumerable: true, configurable: true, writable: true });
  } else {
    obj[key3] = value;
  }
  return obj;
}
function _toPropertyKey9(t20) {
  var i4 = _toPrimitive9(t20, "string");
  return "symbol" == _typeof9(i4) ? i4 : i4 + "";
}
function _toPrimitive9(t20, r4) {
  if ("object" != _typeof9(t20) || !t20) return t20;
  var e4 = t20[Symbol.toPrimitive];
  if (void 0 !== e4) {
    var i4 = e4.call(t20, r4 || "default");
    if ("object" != _typeof9(i4)) return i4;
    throw new TypeError("@@toPrimitive must return a primitive value.");
  }
  return ("string" === r4 ? String : Number)(t20);
}
var defaultOptions2 = _objectSpread2(_objectSpread2({}, upload_default.defaultOptions), {}, {
  httpStack: new XHRHttpStack(),
  fileReader: new FileReader2(),
  urlStorage: canStoreURLs ? new WebStorageUrlStorage() : new NoopUrlStorage(),
  fingerprint
});
var Upload = /* @__PURE__ */ (function(_BaseUpload) {
  function Upload2() {
    var file3 = arguments.length > 0 && arguments[0] !== void 0 ? arguments[0] : null;
    var options = arguments.length > 1 && arguments[1] !== void 0 ? arguments[1] : {};
    _classCallCheck9(this, Upload2);
    options = _objectSpread2(_objectSpread2({}, defaultOptions2), options);
    return _callSuper2(this, Upload2, [file3, options]);
  }
  _inherits2(Upload2, _BaseUpload);
  return _createClass9(Upload2, null, [{
    key: "terminate",
    value: function terminate(url) {
      var options = arguments.length > 1 && arguments[1] !== void 0 ? arguments[1] : {};
      options = _objectSpread2(_objectSpread2({}, defaultOptions2), options);
      return upload_default.terminate(url, options);
    }
  }]);
})(upload_default);
var isSupported = typeof XMLHttpRequest === "function" && typeof Blob === "function" && typeof Blob.prototype.slice === "function";

// src/file/upload-tus.ts
var silence = 9e4;
async function sendResumable(u4, folder3, signal) {
  for (let anew = false; ; anew = true) {
    try {
      const id = await withToken((token2) => transmit2(u4, folder3, token2, signal));
      over(u4);
      if (!id) return void 0;
      return (await get("/files/{id}", { path: { id } }).catch(() => void 0))?.name;
    } catch (err2) {
      if (anew || !u4.key || !gone2(asProblem(err2)) || signal.aborted) throw err2;
      over(u4);
      stands(u4, 0);
    }
  }
}
var gone2 = (p5) => p5.status === 404 || p5.status === 410;
async function giveUp(u4) {
  const { key: key3 } = u4;
  if (!key3) return;
  over(u4);
  await end(key3);
}
async function end(key3) {
  await withToken((token2) => Upload.terminate(whole3(address("/uploads/{id}", {}, { id: key3 })), { retryDelays: null, onBeforeRequest: signed(token2) }).catch((err2) => {
    throw problem(err2);
  })).catch((err2) => {
    if (!gone2(asProblem(err2))) throw err2;
  });
}
var whole3 = (path3) => location.origin + path3;
var signed = (token2, signal) => async (request) => {
  const { pathname, search } = new URL(request.getURL());
  const authorization = "Bearer " + token2;
  const fields = { Authorization: authorization, ...await proof(request.getMethod(), pathname + search, authorization) };
  if (signal?.aborted) throw cancelled();
  for (const [name, value] of Object.entries(fields)) request.setHeader(name, value);
};
function transmit2(u4, folder3, token2, signal) {
  const sign2 = signed(token2, signal);
  let made3;
  let transfer;
  let quiet2;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(cancelled());
    const heard = () => {
      clearTimeout(quiet2);
      quiet2 = setTimeout(() => {
        void transfer.abort();
        reject(offline());
      }, silence);
    };
    transfer = new Upload(u4.file, {
      // Without an endpoint a refusal makes no second upload.
      endpoint: u4.key ? null : whole3(address("/uploads")),
      uploadUrl: u4.key ? whole3(address("/uploads/{id}", {}, { id: u4.key })) : null,
      metadata: { filename: u4.file.name, ...u4.file.type && { filetype: u4.file.type }, ...folder3 && { parent: folder3 }, ...u4.replace && { replace: "true" } },
      // The queue tries again, and the app remembers.
      retryDelays: null,
      storeFingerprintForResuming: false,
      onBeforeRequest: (request) => {
        heard();
        return sign2(request);
      },
      onAfterResponse: (request, response) => {
        heard();
        hearTime(response.getHeader("Date") ?? null);
        made3 = response.getHeader("Coffer-File") ?? made3;
        const offset = Number(response.getHeader("Upload-Offset") ?? NaN);
        if (request.getMethod() === "HEAD" && Number.isFinite(offset)) stands(u4, offset);
      },
      onUploadUrlAvailable: () => {
        const { pathname } = new URL(transfer.url, location.origin);
        transfer.url = whole3(pathname);
        begun(u4, pathname.split("/").pop());
      },
      onProgress: (sent) => {
        heard();
        went(u4, sent);
      },
      onSuccess: () => resolve(made3),
      onError: (err2) => reject(problem(err2))
    });
    signal.addEventListener("abort", () => {
      void transfer.abort();
      reject(cancelled());
    }, { once: true });
    transfer.start();
  }).finally(() => clearTimeout(quiet2));
}
function problem(err2) {
  const response = "originalResponse" in err2 ? err2.originalResponse : void 0;
  if (!response) return "originalRequest" in err2 ? offline() : asProblem(err2);
  const status = response.getStatus();
  const told3 = problemOf(status, parsed(response.getBody()), response.getHeader("Retry-After") ?? null);
  return status === 401 && told3.code === "http_401" ? new Problem({ status, code: "unauthenticated" }) : told3;
}

// src/file/upload.ts
var atOnce = 2;
function add(tree, root) {
  const left2 = uploads.peek().filter((u4) => u4.state.peek() === "left");
  const again3 = (file3, folder3) => left2.find((u4) => u4.folders.root === folder3 && fits(u4, file3));
  const rest = tree.files.filter(({ path: path3, file: file3 }) => {
    const u4 = path3.length === 0 && again3(file3, root);
    if (u4) void goOn(u4, file3);
    return !u4;
  });
  if (rest.length === 0 && tree.folders.length === 0) return;
  const folders2 = new Folders(root);
  begin2();
  const fresh2 = rest.map(({ path: path3, file: file3 }) => made(file3, { name: file3.name, size: file3.size, root, top: path3[0] ?? file3.name, folders: folders2, path: path3 }));
  const names2 = new Set(fresh2.map((u4) => root + "/" + u4.shown.peek()));
  const stays2 = (u4) => runs(u4) || u4.state.peek() === "paused" || u4.state.peek() === "left" || !names2.has(u4.root + "/" + u4.shown.peek());
  for (const u4 of uploads.peek()) if (!stays2(u4)) void giveUp(u4).catch(() => void 0);
  uploads.value = [...uploads.peek().filter(stays2), ...fresh2];
  void check(fresh2, root, work, tree.folders, folders2);
}
async function goOn(u4, file3) {
  if (!await take3(u4, file3)) {
    uploads.value = uploads.peek().filter((o5) => o5 !== u4);
    return toastProblem(new Problem({ status: 409, code: "upload_taken_over" }));
  }
  resume2(u4);
}
function choose2(files) {
  const left2 = uploads.peek().filter((u4) => u4.state.peek() === "left");
  return files.filter((file3) => {
    const u4 = left2.find((one) => fits(one, file3));
    if (u4) void goOn(u4, file3);
    return !u4;
  });
}
function work() {
  while (running2 < atOnce) {
    const waiting3 = uploads.value.filter((u4) => u4.state.value === "waiting");
    const next = waiting3[0];
    if (!next) return;
    const list2 = together(next, waiting3);
    for (const u4 of list2) u4.state.value = "sending";
    running2++;
    void carry(list2).finally(() => {
      running2--;
      work();
    });
  }
}
var running2 = 0;
async function carry(list2) {
  const first = list2[0];
  const stop = new AbortController();
  for (const u4 of list2) u4.stop = stop;
  try {
    const folder3 = await first.folders.id(first.path);
    for (const u4 of list2) u4.shown.value = [...folder3.path, u4.name].join("/");
    const names2 = await patiently2(list2, stop.signal, async () => resumable(first) ? [await sendResumable(first, folder3.id, stop.signal)] : sendForm(list2, folder3.id, stop.signal));
    for (const [i4, u4] of list2.entries()) {
      const name = names2[i4];
      if (name !== void 0 && name !== same(u4.name)) {
        u4.shown.value = [...folder3.path, name].join("/");
        u4.became.value = true;
      }
      u4.state.value = "done";
    }
    refreshFolder(folder3.id);
  } catch (err2) {
    const problem2 = asProblem(err2);
    for (const u4 of list2) {
      if (u4.state.peek() !== "sending") continue;
      if (stop.signal.aborted) u4.state.value = "waiting";
      else if (list2.length > 1 && !problem2.temporary) again(u4);
      else fail(u4, problem2);
    }
  }
}
function again(u4) {
  u4.alone = true;
  u4.state.value = "waiting";
}
var patience2 = 120;
var looks = 11;
async function patiently2(list2, signal, once) {
  const first = list2[0];
  let tries = 0;
  let lost2 = 0;
  let had2 = first.offset;
  for (; ; ) {
    try {
      return await once();
    } catch (err2) {
      const problem2 = asProblem(err2);
      if (signal.aborted) throw err2;
      if (problem2.code === "offline" && !await readable(list2)) throw new Problem({ status: -1, code: "file_changed" });
      if (first.offset > had2) lost2 = 0;
      had2 = first.offset;
      if (problem2.wait) {
        if (++tries >= patience2) throw err2;
        await hold3(list2, "busy", problem2.wait * 1e3, signal);
      } else if (resumable(first) && broke(problem2)) {
        if (++lost2 >= looks) throw err2;
        await hold3(list2, "lost", Math.min(3e4, 500 * 2 ** lost2), signal);
      } else {
        throw err2;
      }
    }
  }
}
async function readable(list2) {
  return Promise.all(list2.map((u4) => u4.file.slice(0, 1).arrayBuffer())).then(() => true, () => false);
}
var broke = (p5) => p5.temporary && p5.code !== "cancelled" || ["offset_mismatch", "upload_taken_over", "checksum_mismatch", "body_unreadable"].includes(p5.code);
async function hold3(list2, why3, ms, signal) {
  for (const u4 of list2) {
    if (!resumable(u4)) u4.sent.value = 0;
    u4.held.value = why3;
  }
  await new Promise((resolve) => {
    const timer2 = setTimeout(resolve, ms);
    const wake = () => {
      clearTimeout(timer2);
      resolve();
    };
    signal.addEventListener("abort", wake, { once: true });
    if (why3 === "lost") addEventListener("online", wake, { once: true });
  });
  for (const u4 of list2) u4.held.value = void 0;
}
var late = (u4) => {
  const mates = uploads.peek().filter((o5) => o5.stop === u4.stop && o5.state.peek() === "sending");
  return mates.length > 1 && mates.every((o5) => o5.sent.peek() >= o5.size);
};
function cancel(u4) {
  const sending = u4.state.value === "sending";
  if (!(runs(u4) || u4.state.value === "paused") || sending && late(u4)) return;
  u4.state.value = "cancelled";
  if (sending) u4.stop?.abort();
  void giveUp(u4).catch(() => void 0);
}
var cancelAll = () => uploads.peek().filter((u4) => runs(u4) || u4.state.peek() === "paused").forEach(cancel);
function pause(u4) {
  const sending = u4.state.value === "sending";
  u4.state.value = "paused";
  if (sending) u4.stop?.abort();
}
function resume2(u4) {
  begin2();
  u4.run = run.peek();
  u4.problem.value = void 0;
  u4.state.value = "waiting";
  work();
}
async function discard2(u4) {
  await giveUp(u4);
  uploads.value = uploads.peek().filter((o5) => o5 !== u4);
}
function retry(some) {
  begin2();
  const ask4 = /* @__PURE__ */ new Map();
  for (const u4 of some) {
    u4.problem.value = void 0;
    if (!u4.key) u4.sent.value = 0;
    u4.run = run.peek();
    u4.state.value = u4.settled ? "waiting" : "asking";
    if (!u4.settled) ask4.set(u4.root, [...ask4.get(u4.root) ?? [], u4]);
  }
  for (const [root, list2] of ask4) void check(list2, root, work);
  work();
}
function clear() {
  uploads.value = uploads.peek().filter((u4) => runs(u4) || u4.state.value === "paused");
  downloads.value = downloads.peek().filter((d5) => d5.state.value === "running");
}
function startUploads() {
  addEventListener("beforeunload", (event) => {
    if (active2.value > 0) event.preventDefault();
  });
  let looked;
  x2(() => {
    const who = auth.value.is === "in" ? auth.value.account.id : void 0;
    if (who && who !== looked) {
      looked = who;
      leftOvers(uploads.peek()).then((left2) => {
        uploads.value = [...left2, ...uploads.peek()];
      }).catch(() => void 0);
    }
    if (auth.value.is !== "out") return;
    looked = void 0;
    for (const u4 of uploads.peek()) u4.stop?.abort();
    letGo();
    uploads.value = [];
  });
  x2(() => {
    const { size: size2, sent } = totals.value;
    const resting = uploads.value.filter((u4) => u4.state.value === "paused" || u4.state.value === "left").length;
    const failed = uploads.value.filter((u4) => u4.state.value === "failed").length + downloads.value.filter((d5) => d5.state.value === "failed").length;
    transfers.value = { count: active2.value + downloading.value, resting, failed, done: active2.value === 0 && downloading.value > 0 ? void 0 : size2 > 0 ? sent / size2 : 0 };
  });
  x2(() => {
    panel.value = uploads.value.length + downloads.value.length > 0 ? panel.peek() ?? !matchMedia("(max-width: 40rem)").matches : void 0;
  });
  x2(() => {
    if (active2.value + downloading.value === 0) return;
    const timer2 = setInterval(() => clock2.value++, 1e3);
    return () => clearInterval(timer2);
  });
}

// src/file/walk.ts
async function walk(roots) {
  const tree = { files: [], folders: [] };
  const queue = roots.map((node) => ({ node, path: [] }));
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { node, path: path3 } = next;
    if (node.isFile) {
      tree.files.push({ path: path3, file: await fileOf(node) });
    } else if (node.isDirectory) {
      const inside = [...path3, node.name];
      tree.folders.push(inside);
      for (const child of await childrenOf2(node)) queue.push({ node: child, path: inside });
    }
  }
  return tree;
}
function fileOf(node) {
  return new Promise((resolve, reject) => node.file(resolve, reject));
}
async function childrenOf2(node) {
  const reader = node.createReader();
  const all2 = [];
  for (; ; ) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all2;
    all2.push(...some);
  }
}
function chosen2(files) {
  const tree = { files: [], folders: [] };
  const seen = /* @__PURE__ */ new Set();
  for (const file3 of files) {
    const path3 = (file3.webkitRelativePath ?? "").split("/").slice(0, -1);
    for (let depth = 1; depth <= path3.length; depth++) {
      const folder3 = path3.slice(0, depth);
      const key3 = folder3.join("/");
      if (!seen.has(key3)) {
        seen.add(key3);
        tree.folders.push(folder3);
      }
    }
    tree.files.push({ path: path3, file: file3 });
  }
  return tree;
}
function dropped2(transfer) {
  const nodes = [];
  for (const item of transfer.items) {
    const node = item.kind === "file" ? item.webkitGetAsEntry() : null;
    if (node) nodes.push(node);
  }
  return nodes.length > 0 ? walk(nodes) : Promise.resolve(chosen2(transfer.files));
}

// src/file/new.tsx
var shown = () => /^\/files\/([^/]+)/.exec(path.value)?.[1] ?? "";
function newFolder() {
  const parent2 = shown();
  void ask((close) => /* @__PURE__ */ a4(NewFolder, { parent: parent2, onClose: close, onDone: async () => arrive(parent2) }));
}
var chooseFiles = () => choose3(false);
var chooseFolder = () => choose3(true);
function choose3(folder3) {
  const parent2 = shown();
  pick2({ folder: folder3 }, (files) => {
    void upload(Promise.resolve(chosen2(files)), parent2);
    if (!path.value.startsWith("/files")) go("/files");
  });
}
async function upload(tree, parent2) {
  try {
    add(await tree, parent2);
  } catch (err2) {
    console.error(err2);
    toast(t8("unreadable"), true);
  }
}
function arrive(parent2) {
  refreshFolder(parent2);
  if (!path.value.startsWith("/files")) go("/files");
}

// src/file/drag.ts
var carried2 = [];
function lift(event, entries2, label) {
  carried2 = entries2;
  const transfer = event.dataTransfer;
  transfer.effectAllowed = "move";
  transfer.setData("application/x-coffer-entries", "");
  const ghost = document.createElement("div");
  ghost.className = "ghost";
  ghost.textContent = label;
  document.body.append(ghost);
  transfer.setDragImage(ghost, 12, 12);
  setTimeout(() => ghost.remove());
}
function lower() {
  carried2 = [];
  for (const mark of document.querySelectorAll("[data-over]")) mark.removeAttribute("data-over");
}
function target(id, name, here2, receive) {
  const takes = () => carried2.length > 0 && id !== here2 && !carried2.some((e4) => e4.id === id);
  const over3 = (event) => {
    if (!takes()) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "move";
    event.currentTarget.dataset.over = "";
  };
  return {
    onDragEnter: over3,
    onDragOver: over3,
    onDragLeave: (event) => {
      const mine2 = event.currentTarget;
      if (!mine2.contains(event.relatedTarget)) delete mine2.dataset.over;
    },
    onDrop: (event) => {
      if (!takes()) return;
      event.preventDefault();
      const entries2 = carried2;
      lower();
      receive(entries2, id, name);
    }
  };
}

// src/file/crumbs.tsx
var address2 = (id) => "/files" + (id && "/" + id);
function Crumbs({ way, folder: folder3, onReceive }) {
  if (folder3 === "") return /* @__PURE__ */ a4("nav", { class: "crumbs", "aria-label": t8("path"), children: /* @__PURE__ */ a4("h1", { children: t8("files") }) });
  const last3 = way?.at(-1);
  const above = [{ id: "", name: t8("files") }, ...way?.slice(0, -1) ?? []];
  return /* @__PURE__ */ a4("nav", { class: "crumbs", "aria-label": t8("path"), children: [
    /* @__PURE__ */ a4("ol", { class: "crumbs-all", children: above.map((e4) => /* @__PURE__ */ a4("li", { children: /* @__PURE__ */ a4("a", { href: address2(e4.id), "aria-label": e4.name, draggable: false, ...target(e4.id, e4.name, folder3, onReceive), children: /* @__PURE__ */ a4(Name, { name: e4.name }) }) }, e4.id)) }),
    /* @__PURE__ */ a4("h1", { "aria-current": "page", children: last3 ? /* @__PURE__ */ a4(Name, { name: last3.name, read: true }) : "…" }),
    above.length > 1 && /* @__PURE__ */ a4("div", { class: "crumbs-short", children: /* @__PURE__ */ a4(Menu, { label: t8("foldersAbove"), class: "icon-button", items: above.slice(0, -1).reverse().map((e4) => ({ icon: "folder", label: e4.name, href: address2(e4.id) })), children: /* @__PURE__ */ a4(Icon, { name: "more", class: "crumb-more" }) }) })
  ] });
}

// src/shell/kinds.ts
var MB = 1e6;
var most2 = { image: 60 * MB, pdf: 100 * MB, text: 2 * MB, audio: 250 * MB, video: 500 * MB };
var types = {
  "image/png": "image",
  "image/jpeg": "image",
  "image/gif": "image",
  "image/webp": "image",
  "image/avif": "image",
  "image/bmp": "image",
  "application/pdf": "pdf",
  "audio/mpeg": "audio",
  "audio/mp4": "audio",
  "audio/ogg": "audio",
  "audio/wav": "audio",
  "audio/flac": "audio",
  "audio/webm": "audio",
  "audio/aac": "audio",
  "video/mp4": "video",
  "video/webm": "video",
  "video/ogg": "video"
};
var aliases = {
  "image/jpg": "image/jpeg",
  "image/pjpeg": "image/jpeg",
  "image/x-ms-bmp": "image/bmp",
  "application/x-pdf": "application/pdf",
  "audio/mp3": "audio/mpeg",
  "audio/x-wav": "audio/wav",
  "audio/wave": "audio/wav",
  "audio/vnd.wave": "audio/wav",
  "audio/x-flac": "audio/flac",
  "audio/x-m4a": "audio/mp4",
  "audio/opus": "audio/ogg",
  "application/ogg": "audio/ogg",
  "video/x-m4v": "video/mp4",
  "video/quicktime": "video/mp4"
};
var endings = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  avif: "image/avif",
  bmp: "image/bmp",
  pdf: "application/pdf",
  mp3: "audio/mpeg",
  m4a: "audio/mp4",
  ogg: "audio/ogg",
  oga: "audio/ogg",
  opus: "audio/ogg",
  wav: "audio/wav",
  flac: "audio/flac",
  aac: "audio/aac",
  weba: "audio/webm",
  mp4: "video/mp4",
  m4v: "video/mp4",
  mov: "video/mp4",
  webm: "video/webm",
  ogv: "video/ogg"
};
var written = /^(text\/.+|application\/(json|xml|javascript|ecmascript|x-sh|sql|toml|yaml|x-yaml|rtf|[\w.-]+\+(json|xml))|image\/svg\+xml)$/;
var writtenEndings = new Set("txt text md markdown csv tsv log json jsonl xml html htm xhtml svg css js mjs cjs ts tsx jsx go rs py rb java c h cc cpp hpp cs swift kt sh bash zsh fish sql toml yaml yml ini conf cfg env tex bib srt vtt ics vcf diff patch".split(" "));
function kindOf({ name, media_type: declared }) {
  const ending2 = name.includes(".") ? name.split(".").pop().toLowerCase() : "";
  const said = (declared ?? "").toLowerCase();
  for (const type of [aliases[said] ?? said, endings[ending2]]) {
    const shown2 = type !== void 0 && Object.hasOwn(types, type) ? types[type] : void 0;
    if (shown2) return { shown: shown2, type, most: most2[shown2] };
  }
  if (written.test(said) || writtenEndings.has(ending2)) return { shown: "text", type: "text/plain", most: most2.text };
  return void 0;
}
function textOf(bytes2) {
  const [a5, b4] = bytes2;
  if (a5 === 255 && b4 === 254) return new TextDecoder("utf-16le").decode(bytes2);
  if (a5 === 254 && b4 === 255) return new TextDecoder("utf-16be").decode(bytes2);
  if (bytes2.includes(0)) return void 0;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes2);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes2);
  }
}
var isPdf = (bytes2) => new TextDecoder("latin1").decode(bytes2.subarray(0, 1024)).includes("%PDF-");
var icons2 = {
  png: "image",
  jpg: "image",
  jpeg: "image",
  gif: "image",
  webp: "image",
  avif: "image",
  heic: "image",
  svg: "image",
  mp3: "audio",
  flac: "audio",
  wav: "audio",
  ogg: "audio",
  m4a: "audio",
  opus: "audio",
  mp4: "video",
  mkv: "video",
  mov: "video",
  webm: "video",
  avi: "video",
  zip: "archive",
  gz: "archive",
  tar: "archive",
  xz: "archive",
  zst: "archive",
  "7z": "archive",
  rar: "archive"
};
function iconOf2(entry4) {
  if (entry4.kind === "folder") return "folder";
  const ending2 = entry4.name.split(".").pop().toLowerCase();
  return Object.hasOwn(icons2, ending2) ? icons2[ending2] : "file";
}

// src/shell/preview.tsx
function Preview({ items, id, more, read: read7, price, onSave, deeds: deeds2, onClose }) {
  const [shown2, setShown] = d2(id);
  const [last3, setLast] = d2(() => items.find((e4) => e4.id === id));
  const files = items.filter((e4) => e4.kind === "file");
  const at = files.findIndex((e4) => e4.id === shown2);
  const entry4 = files[at] ?? last3;
  function move(by) {
    const to = files[at + by];
    if (at < 0 || !to) return;
    setShown(to.id);
    setLast(to);
    if (at + by >= files.length - 2) more?.();
  }
  function key3(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("audio, video")) return;
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!by) return;
    event.preventDefault();
    move(by);
  }
  const turn = (by, label, icon) => /* @__PURE__ */ a4("button", { type: "button", class: "icon-button", "aria-label": label, title: label, "aria-disabled": files[at + by] === void 0, onClick: () => move(by), children: /* @__PURE__ */ a4(Icon, { name: icon }) });
  return /* @__PURE__ */ a4(Dialog, { class: "preview", title: /* @__PURE__ */ a4(Name, { name: entry4.name, read: true }), onClose: () => onClose(entry4.id), onKeyDown: key3, buttons: /* @__PURE__ */ a4($, { children: [
    files.length > 1 && at >= 0 && /* @__PURE__ */ a4("div", { class: "preview-turn", children: [
      turn(-1, t4("previous"), "back"),
      /* @__PURE__ */ a4("span", { class: "hint", "aria-live": "polite", children: [
        /* @__PURE__ */ a4("span", { class: "hidden", children: [
          entry4.name,
          ": "
        ] }),
        more ? t4("nth", { n: at + 1 }) : t4("nthOf", { n: at + 1, count: files.length })
      ] }),
      turn(1, t4("next"), "chevron")
    ] }),
    deeds2?.(entry4).map((deed) => /* @__PURE__ */ a4("button", { type: "button", class: "icon-button", "aria-label": deed.label, title: deed.label, onClick: deed.run, children: /* @__PURE__ */ a4(Icon, { name: deed.icon }) }, deed.label)),
    /* @__PURE__ */ a4("button", { type: "button", class: "icon-button", "aria-label": t4("downloadOf", { name: entry4.name }), title: t4("download"), onClick: () => onSave(entry4), children: /* @__PURE__ */ a4(Icon, { name: "download" }) })
  ] }), children: /* @__PURE__ */ a4(Look, { entry: entry4, read: read7, price: price?.(entry4), onSave: () => onSave(entry4) }, entry4.id + entry4.modified_at) });
}
function Look({ entry: entry4, read: read7, price, onSave }) {
  const kind = kindOf(entry4);
  const small2 = kind && entry4.size <= kind.most;
  const [content, setContent] = d2();
  const [broken2, setBroken] = d2(false);
  const [problem2, setProblem] = d2();
  const [have, setHave] = d2(0);
  const [cost] = d2(price);
  const [paid, pay] = d2(cost === void 0);
  A2(() => {
    if (!small2 || entry4.damaged || !paid) return;
    const stop = new AbortController();
    let url;
    load(read7(entry4, stop.signal), kind, setHave).then((it) => {
      if (stop.signal.aborted) return;
      if (!it) return setBroken(true);
      if ("blob" in it) setContent({ url: url = URL.createObjectURL(it.blob) });
      else setContent(it);
    }, (err2) => stop.signal.aborted || setProblem(asProblem(err2)));
    return () => {
      stop.abort();
      if (url) URL.revokeObjectURL(url);
    };
  }, [paid]);
  const fail3 = () => setBroken(true);
  if (problem2) return /* @__PURE__ */ a4(Instead, { entry: entry4, onSave, bad: true, children: say(problem2) });
  if (!kind || broken2 || kind.shown === "pdf" && !navigator.pdfViewerEnabled) return /* @__PURE__ */ a4(Instead, { entry: entry4, onSave, children: t4("noPreview") });
  if (!small2) return /* @__PURE__ */ a4(Instead, { entry: entry4, onSave, children: t4("tooLargeToShow", { size: size(entry4.size) }) });
  if (!paid) return /* @__PURE__ */ a4(Instead, { entry: entry4, onSave, onShow: () => pay(true), children: cost });
  if (!content) {
    return /* @__PURE__ */ a4("div", { class: "look", role: "status", children: [
      /* @__PURE__ */ a4("span", { class: "spinner", "aria-hidden": "true" }),
      " ",
      /* @__PURE__ */ a4("span", { class: "hidden", children: t4("beingRead") }),
      entry4.size > 2e6 && /* @__PURE__ */ a4("progress", { value: have, max: entry4.size, "aria-label": t4("readingOf", { name: entry4.name }) })
    ] });
  }
  if ("text" in content) return /* @__PURE__ */ a4("pre", { class: "look look-text", tabIndex: 0, role: "region", "aria-label": t4("contentsOf", { name: entry4.name }), children: content.text });
  switch (kind.shown) {
    case "image":
      return /* @__PURE__ */ a4("div", { class: "look", children: /* @__PURE__ */ a4("img", { src: content.url, alt: entry4.name, onError: fail3 }) });
    case "audio":
      return /* @__PURE__ */ a4("div", { class: "look", children: [
        /* @__PURE__ */ a4(Icon, { name: "audio", class: "look-icon" }),
        /* @__PURE__ */ a4("audio", { controls: true, src: content.url, "aria-label": entry4.name, onError: fail3 })
      ] });
    case "video":
      return /* @__PURE__ */ a4("div", { class: "look", children: /* @__PURE__ */ a4("video", { controls: true, playsInline: true, src: content.url, "aria-label": entry4.name, onError: fail3 }) });
    default:
      return /* @__PURE__ */ a4(Paper, { url: content.url, name: entry4.name });
  }
}
function Paper({ url, name }) {
  const frame = T2(null);
  A2(() => {
    let last3 = document.activeElement;
    let tab = false;
    let pointed = false;
    const key3 = (event) => {
      tab = event.key === "Tab";
    };
    let at;
    const point = ({ clientX, clientY }) => {
      const now = `${clientX} ${clientY}`;
      pointed ||= at !== void 0 && at !== now;
      at = now;
    };
    const came = (event) => {
      tab = false;
      if (event.target !== frame.current) last3 = event.target;
    };
    const left2 = () => {
      if (document.activeElement !== frame.current || tab || pointed && frame.current.matches(":hover")) return;
      removeEventListener("blur", left2);
      const to = last3 instanceof HTMLElement && last3.isConnected ? last3 : frame.current.closest("dialog").querySelector("h2");
      setTimeout(() => to.focus());
    };
    document.addEventListener("keydown", key3, true);
    document.addEventListener("pointermove", point);
    document.addEventListener("focusin", came);
    addEventListener("blur", left2);
    return () => {
      document.removeEventListener("keydown", key3, true);
      document.removeEventListener("pointermove", point);
      document.removeEventListener("focusin", came);
      removeEventListener("blur", left2);
    };
  }, []);
  return /* @__PURE__ */ a4("iframe", { ref: frame, class: "look", src: url + "#navpanes=0", title: name });
}
async function load(opened, kind, seen) {
  const response = await opened;
  const parts = [];
  let bytes2 = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    seen(bytes2 += value.length);
  }
  const blob = new Blob(parts, { type: kind.type });
  if (kind.shown === "text") {
    const text2 = textOf(new Uint8Array(await blob.arrayBuffer()));
    return text2 === void 0 ? void 0 : { text: text2 };
  }
  if (kind.shown === "pdf" && !isPdf(new Uint8Array(await blob.slice(0, 1024).arrayBuffer()))) return void 0;
  return { blob };
}
function Instead({ entry: entry4, onSave, onShow, children, bad }) {
  const icon = iconOf2(entry4);
  return /* @__PURE__ */ a4("div", { class: "look look-instead", children: [
    /* @__PURE__ */ a4(Icon, { name: icon, class: "look-icon kind-" + icon }),
    /* @__PURE__ */ a4("p", { role: bad ? "alert" : void 0, children }),
    /* @__PURE__ */ a4("p", { class: "hint", children: size(entry4.size) }),
    /* @__PURE__ */ a4("div", { class: "card-buttons", children: [
      onShow && /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: onShow, children: [
        /* @__PURE__ */ a4(Icon, { name: "eye" }),
        " ",
        t4("show")
      ] }),
      /* @__PURE__ */ a4("button", { type: "button", class: "button primary", onClick: onSave, children: [
        /* @__PURE__ */ a4(Icon, { name: "download" }),
        " ",
        t4("download")
      ] })
    ] })
  ] });
}

// src/file/archive.ts
var atOnce2 = 1e3;
function saveZip(entries2, all2) {
  const [one] = entries2;
  if (entries2.length === 1 && one.kind === "folder") return folder2(one);
  if (entries2.length > atOnce2) return all2?.id ? folder2(all2) : toast(t8("tooManyForZip", { count: atOnce2 }), true);
  const ids4 = entries2.map((e4) => e4.id);
  saveStream({
    name: () => t8("zipOf", { count: ids4.length }),
    file: () => "Coffer.zip",
    open: (signal) => streamOf("/files/archive", { body: { ids: ids4 }, signal })
  });
}
function folder2({ id, name }) {
  saveStream({
    name: () => name + ".zip",
    file: () => name + ".zip",
    open: (signal) => stream("/files/{id}/archive", { path: { id }, signal })
  });
}

// src/file/download.ts
var askFrom = 64 << 20;
function download2(entry4) {
  return save2(entry4.name, entry4.size, () => stream("/files/{id}/content", { path: { id: entry4.id } }));
}
async function save2(name, size2, open2) {
  const { showSaveFilePicker } = window;
  if (size2 < askFrom || !showSaveFilePicker) return give(await (await open2()).blob(), name);
  const handle = await showSaveFilePicker.call(window, { suggestedName: name }).catch(() => {
    throw cancelled();
  });
  await (await open2()).body.pipeTo(await handle.createWritable());
}

// src/file/others.tsx
var deedsOf = (entry4) => entryParts().flatMap((part) => part.deeds(entry4));
function Marks({ entry: entry4, tab }) {
  return /* @__PURE__ */ a4($, { children: entryParts().map(({ Mark: Mark3, order }) => /* @__PURE__ */ a4(Mark3, { entry: entry4, tab }, order)) });
}

// src/file/versions.tsx
async function every(id, signal) {
  const all2 = [];
  let cursor;
  do {
    const page2 = await get("/files/{id}/versions", { path: { id }, query: { cursor }, signal });
    all2.push(...page2.items);
    cursor = page2.next_cursor || void 0;
  } while (cursor);
  return all2;
}
function Versions({ entry: entry4, onClose, onChange: onChange2 }) {
  const [now, setNow] = d2(entry4);
  const kept4 = useSettings()?.versions;
  const { data, problem: problem2, reload } = useLoad((signal) => every(entry4.id, signal), [entry4.id]);
  const restore2 = async (v4) => {
    try {
      setNow(await post("/files/{id}/versions/{version}/restore", { path: { id: entry4.id, version: v4.id } }));
      toast(t8("versionRestored"));
      refreshFolder(entry4.parent ?? "");
      await Promise.all([reload(), onChange2()]);
    } catch (err2) {
      toastProblem(err2);
    }
  };
  const keep4 = (v4) => save2(entry4.name, v4.size, () => stream("/files/{id}/versions/{version}/content", { path: { id: entry4.id, version: v4.id } }));
  const remove2 = (v4) => ask((close) => /* @__PURE__ */ a4(Confirm, { title: t8("versionDelete"), action: t8("deleteForGood"), onClose: close, onConfirm: async () => {
    await del("/files/{id}/versions/{version}", { path: { id: entry4.id, version: v4.id } });
    await reload();
  }, children: [
    /* @__PURE__ */ a4("p", { children: t8("versionOf", { time: ago(v4.stored_at), size: size(v4.size) }) }),
    /* @__PURE__ */ a4("p", { children: t8("deleteText") })
  ] }));
  const menu2 = (v4) => [
    { icon: "download", label: t8("download"), run: () => void keep4(v4).catch(toastProblem) },
    { icon: "history", label: t8("restore"), run: () => void restore2(v4) },
    { icon: "trash", label: t8("deleteForGood"), run: () => void remove2(v4), danger: true }
  ];
  return /* @__PURE__ */ a4(Dialog, { title: t8("versions"), onClose, children: [
    /* @__PURE__ */ a4("p", { class: "long-name", children: entry4.name }),
    problem2 ? /* @__PURE__ */ a4(Failed, { problem: problem2, retry: reload }) : !data ? /* @__PURE__ */ a4(Skeleton, { rows: 2 }) : /* @__PURE__ */ a4("ul", { class: "versions", children: [
      /* @__PURE__ */ a4("li", { children: /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("p", { children: t8("versionNow") }),
        /* @__PURE__ */ a4("p", { class: "hint", children: [
          size(now.size),
          " · ",
          /* @__PURE__ */ a4(Time, { at: now.modified_at, children: ago(now.modified_at) })
        ] })
      ] }) }),
      data.map((v4) => {
        const time = ago(v4.stored_at);
        return /* @__PURE__ */ a4("li", { children: [
          /* @__PURE__ */ a4("div", { children: [
            /* @__PURE__ */ a4("p", { children: /* @__PURE__ */ a4(Time, { at: v4.stored_at, children: time }) }),
            /* @__PURE__ */ a4("p", { class: "hint", children: [
              size(v4.size),
              " · ",
              t8("versionUntil", { time: ago(v4.replaced_at) })
            ] })
          ] }),
          /* @__PURE__ */ a4(Menu, { label: t8("versionMenu", { time }), items: menu2(v4), children: /* @__PURE__ */ a4(Icon, { name: "more" }) })
        ] }, v4.id);
      })
    ] }),
    data && /* @__PURE__ */ a4("p", { class: "hint", children: data.length === 0 ? kept4 === 0 ? t8("versionsOff") : t8("versionsNone") : t8("versionsRoom") })
  ] });
}

// src/file/deeds.tsx
function useDeeds(grid, list2, here2) {
  const [wish, setWish] = d2();
  const close = () => setWish(void 0);
  const { done } = grid;
  function save4(entries2) {
    const [one] = entries2;
    if (entries2.length === 1 && one.kind === "file") void download2(one).catch(toastProblem);
    else saveZip(entries2, grid.whole.all ? here2 : void 0);
  }
  const open2 = (entry4) => entry4.kind === "folder" ? go("/files/" + entry4.id) : setWish({ kind: "preview", id: entry4.id });
  const remove2 = (entries2) => void discard(entries2, done);
  const deeds2 = {
    open: open2,
    menu: (entry4) => [
      { icon: entry4.kind === "folder" ? "folder" : "eye", label: t8("open"), run: () => open2(entry4), keys: "↵" },
      { icon: "download", label: t8("download"), run: () => save4([entry4]) },
      ...deedsOf(entry4),
      { icon: "pencil", label: t8("rename"), run: () => setWish({ kind: "rename", entry: entry4 }), keys: "F2" },
      { icon: "move", label: t8("move"), run: () => setWish({ kind: "move", entries: [entry4] }) },
      { icon: "copy", label: t8("copyTo"), run: () => setWish({ kind: "copy", entries: [entry4] }) },
      ...entry4.kind === "file" ? [{ icon: "history", label: t8("versions"), run: () => setWish({ kind: "versions", entry: entry4 }) }] : [],
      { icon: "trash", label: t8("delete"), run: () => remove2([entry4]), danger: true, keys: "⌦" }
    ],
    bar: (entries2) => [
      { icon: "download", label: t8("download"), run: () => save4(entries2) },
      ...entries2.length === 1 ? deedsOf(entries2[0]).filter((deed) => deed.bar) : [],
      { icon: "move", label: t8("move"), run: () => setWish({ kind: "move", entries: entries2 }) },
      { icon: "copy", label: t8("copyTo"), run: () => setWish({ kind: "copy", entries: entries2 }) },
      { icon: "trash", label: t8("delete"), run: () => remove2(entries2), danger: true }
    ],
    key(key3, entry4, meant) {
      if (key3 === "F2") setWish({ kind: "rename", entry: entry4 });
      else if (key3 === "Delete") remove2(meant);
      else return false;
      return true;
    },
    receive: (entries2, id, name) => void moveNow(entries2, { id, name }, done)
  };
  const from = here2?.id ?? (wish && "entries" in wish && wish.entries.length === 1 ? wish.entries[0].parent ?? "" : void 0);
  const dialogs = /* @__PURE__ */ a4($, { children: [
    wish?.kind === "rename" && /* @__PURE__ */ a4(Rename2, { entry: wish.entry, onClose: close, onDone: done }),
    wish?.kind === "versions" && /* @__PURE__ */ a4(Versions, { entry: wish.entry, onClose: close, onChange: list2.reload }),
    (wish?.kind === "move" || wish?.kind === "copy") && /* @__PURE__ */ a4(Relocate, { kind: wish.kind, entries: wish.entries, here: from, onClose: close, onDone: done }),
    wish?.kind === "preview" && grid.items && /* @__PURE__ */ a4(Preview, { items: grid.items, id: wish.id, deeds: deedsOf, more: list2.more, read: (entry4, signal) => stream("/files/{id}/content", { path: { id: entry4.id }, signal }), onSave: (entry4) => save4([entry4]), onClose: (last3) => {
      close();
      const at = grid.items.findIndex((e4) => e4.id === last3);
      if (at >= 0) grid.focus(at);
    } })
  ] });
  return [deeds2, dialogs];
}

// src/file/select.ts
var nothing = { ids: /* @__PURE__ */ new Set(), focus: 0, anchor: 0 };
function only(items, at) {
  const item = items[at];
  return { ids: new Set(item ? [item.id] : []), focus: at, anchor: at };
}
function toggle(p5, items, at) {
  const ids4 = new Set(p5.ids);
  const id = items[at]?.id;
  if (id !== void 0 && !ids4.delete(id)) ids4.add(id);
  return { ids: ids4, focus: at, anchor: at };
}
function range(p5, items, to) {
  const [from, end4] = p5.anchor < to ? [p5.anchor, to] : [to, p5.anchor];
  return { ids: new Set(items.slice(from, end4 + 1).map((i4) => i4.id)), focus: to, anchor: p5.anchor };
}
function everything2(p5, items) {
  return { ...p5, ids: new Set(items.map((i4) => i4.id)) };
}
function without(p5, gone3) {
  const ids4 = new Set(p5.ids);
  for (const { id } of gone3) ids4.delete(id);
  return { ...p5, ids: ids4 };
}
function keep(p5, items, before2 = items) {
  const last3 = Math.max(0, items.length - 1);
  const follow2 = (at) => {
    const id = before2[at]?.id;
    const to = items[at]?.id === id ? at : items.findIndex((e4) => e4.id === id);
    return to >= 0 ? to : Math.min(at, last3);
  };
  const focus = Math.min(follow2(p5.focus), last3);
  const anchor = Math.min(follow2(p5.anchor), last3);
  if (p5.ids.size === 0) return focus === p5.focus && anchor === p5.anchor ? p5 : { ...p5, focus, anchor };
  const there = new Set(items.map((i4) => i4.id));
  return { ids: new Set([...p5.ids].filter((id) => there.has(id))), focus, anchor };
}
function moved3(key3, focus, count2, columns3 = 1) {
  const last3 = count2 - 1;
  const page2 = columns3 > 1 ? 3 * columns3 : 10;
  switch (key3) {
    // Down from a full line leads to the last tile where none stands below.
    case "ArrowDown":
      return Math.floor(focus / columns3) < Math.floor(last3 / columns3) ? Math.min(last3, focus + columns3) : focus;
    case "ArrowUp":
      return focus >= columns3 ? focus - columns3 : focus;
    case "ArrowRight":
      return columns3 > 1 ? Math.min(last3, focus + 1) : void 0;
    case "ArrowLeft":
      return columns3 > 1 ? Math.max(0, focus - 1) : void 0;
    case "PageDown":
      return Math.min(last3, focus + page2);
    case "PageUp":
      return Math.max(0, focus - page2);
    case "Home":
      return 0;
    case "End":
      return last3;
    default:
      return void 0;
  }
}

// src/file/whole.ts
var counted = 2e3;
function useWhole(list2, picked, setPicked, of) {
  const [reading2, setReading] = d2();
  const [seeking, setSeeking] = d2();
  const stop = T2(void 0);
  function end4() {
    stop.current?.abort();
    stop.current = void 0;
    setReading(void 0);
    setSeeking(void 0);
  }
  A2(() => end4, [of]);
  const some = picked.ids.size > 0;
  const open2 = list2.items !== void 0 && list2.total === void 0;
  A2(() => {
    if (!some || !open2 || reading2 !== void 0 || seeking !== void 0 || list2.items.length > counted) return;
    const count2 = new AbortController();
    list2.rest(count2.signal, () => void 0, counted).catch(() => void 0);
    return () => count2.abort();
  }, [some, open2, reading2 === void 0, seeking === void 0, of]);
  async function select() {
    if (!list2.items) return;
    const loaded = list2.items;
    setPicked((p5) => everything2(p5, loaded));
    end4();
    if (!list2.more) return;
    const mine2 = stop.current = new AbortController();
    setReading(loaded.length);
    try {
      const all2 = await list2.rest(mine2.signal, (n3) => !mine2.signal.aborted && setReading(loaded.length + n3));
      if (!mine2.signal.aborted) setPicked((p5) => everything2(p5, all2));
    } catch (err2) {
      if (!mine2.signal.aborted) toastProblem(err2);
    } finally {
      if (stop.current === mine2) end4();
    }
  }
  async function reach() {
    end4();
    const mine2 = stop.current = new AbortController();
    const loaded = list2.items.length;
    setSeeking(loaded);
    try {
      const all2 = await list2.rest(mine2.signal, (n3) => !mine2.signal.aborted && setSeeking(loaded + n3));
      return mine2.signal.aborted ? void 0 : all2;
    } catch (err2) {
      if (!mine2.signal.aborted) toastProblem(err2);
      return void 0;
    } finally {
      if (stop.current === mine2) end4();
    }
  }
  const selected = w2(() => some ? (list2.items ?? []).filter((e4) => picked.ids.has(e4.id)) : [], [list2.items, picked.ids]);
  return {
    select,
    reading: reading2,
    // how many were read of a list that is being selected
    reach,
    seeking,
    // how many were read on the way to the end
    stay: () => seeking !== void 0 && end4(),
    // the person goes elsewhere than to the end
    selected,
    all: list2.total !== void 0 && list2.total > 0 && selected.length === list2.total,
    clear() {
      end4();
      setPicked((p5) => ({ ...p5, ids: /* @__PURE__ */ new Set() }));
    }
  };
}

// src/file/grid.tsx
function useGrid(of, list2, view) {
  const [picked, setPicked] = d2(nothing);
  const box = T2(null);
  const acted = T2(false);
  const wanted4 = T2(void 0);
  const before2 = T2(void 0);
  const { items } = list2;
  const whole7 = useWhole(list2, picked, setPicked, of);
  A2(() => {
    setPicked(nothing);
    before2.current = void 0;
  }, [of]);
  view.follow({ items, pages: list2.pages, focus: picked.focus, refocus: (at) => {
    setPicked((p5) => ({ ...p5, focus: at, anchor: at }));
    if (moves.value > 0 && !document.activeElement?.closest("[data-at], dialog")) wanted4.current = { at, still: true };
  } });
  A2(() => {
    if (!items) return;
    const chosen3 = picked.ids.size > 0 || box.current?.contains(document.activeElement);
    const old = chosen3 && before2.current || items;
    before2.current = items;
    setPicked((p5) => keep(p5, items, old));
  }, [items]);
  A2(() => {
    if (!acted.current || !items || document.querySelector("dialog[open]")) return;
    acted.current = false;
    if (document.activeElement !== document.body) return;
    if (items.length) focus(Math.min(picked.focus, items.length - 1));
    else focusMain();
  });
  const { clear: clear2 } = whole7;
  A2(() => {
    if (picked.ids.size === 0) return;
    const escape = (event) => {
      if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open], [popover]:popover-open")) return;
      clear2();
    };
    document.addEventListener("keydown", escape);
    return () => document.removeEventListener("keydown", escape);
  });
  function focus(at, still = false) {
    wanted4.current = { at, still };
    setPicked((p5) => ({ ...p5, focus: at }));
  }
  return {
    items,
    box,
    picked,
    setPicked,
    whole: whole7,
    wanted: wanted4,
    focus,
    selected: whole7.selected,
    // done takes out what work has moved or deleted, and reads the list again.
    done(gone3) {
      acted.current = true;
      setPicked((p5) => without(p5, gone3));
      list2.without(gone3);
      return list2.reload();
    },
    // meant is what a key on a row means: the selection, or that row alone where it is not part of it.
    meant(at) {
      const entry4 = items[at];
      return picked.ids.has(entry4.id) ? whole7.selected : [entry4];
    }
  };
}
function Selection({ grid, list: list2, deeds: deeds2 }) {
  const { whole: whole7, selected } = grid;
  if (selected.length === 0) return null;
  const said = t8("selected", { count: selected.length });
  return /* @__PURE__ */ a4("div", { class: "selection", role: "toolbar", "aria-label": said, children: [
    /* @__PURE__ */ a4("span", { "aria-live": "polite", children: whole7.reading === void 0 ? said : t8("selecting", { count: whole7.reading }) }),
    whole7.reading === void 0 && !whole7.all && /* @__PURE__ */ a4("button", { type: "button", class: "link select-all", onClick: whole7.select, children: list2.total === void 0 ? t8("selectAllOpen") : t8("selectAllOf", { count: list2.total }) }),
    whole7.reading === void 0 && /* @__PURE__ */ a4("div", { class: "selection-actions", children: deeds2.bar(selected).map((item) => /* @__PURE__ */ a4("button", { type: "button", class: item.danger ? "button danger-text" : "button", onClick: item.run, children: [
      /* @__PURE__ */ a4(Icon, { name: item.icon }),
      " ",
      /* @__PURE__ */ a4("span", { children: item.label })
    ] }, item.label)) }),
    /* @__PURE__ */ a4("button", { type: "button", class: "icon-button", "aria-label": t8("clear"), title: t8("clear"), onClick: whole7.clear, children: /* @__PURE__ */ a4(Icon, { name: "close" }) })
  ] });
}

// src/file/layout.tsx
var where = "coffer.files.layout";
var layout = y3(localStorage.getItem(where) === "tiles" ? "tiles" : "list");
var top;
function firstInView() {
  const edge = document.querySelector(".top")?.getBoundingClientRect().bottom ?? 0;
  const first = scrollY > 0 && [...document.querySelectorAll("[data-at]")].find((e4) => e4.getBoundingClientRect().bottom > edge + 8);
  return first ? Number(first.getAttribute("data-at")) : void 0;
}
function arrive2() {
  const at = top;
  top = void 0;
  return at;
}
function LayoutChoice() {
  const now = layout.value;
  const set = (to) => {
    top = firstInView();
    layout.value = to;
    localStorage.setItem(where, to);
  };
  const choice = (to, label) => /* @__PURE__ */ a4("button", { type: "button", class: "icon-button", "aria-pressed": now === to, "aria-label": label, title: label, onClick: () => set(to), children: /* @__PURE__ */ a4(Icon, { name: to }) });
  return /* @__PURE__ */ a4("div", { class: "layout", role: "group", "aria-label": t8("layout"), children: [
    choice("list", t8("asList")),
    choice("tiles", t8("asGrid"))
  ] });
}

// src/file/view.ts
var columns = ["name", "size", "modified"];
var most3 = 1e3;
var sortText = (s4) => (s4.down ? "-" : "") + s4.by;
function sortOf(text2) {
  if (typeof text2 !== "string") return void 0;
  const by = text2.replace(/^-/, "");
  return columns.includes(by) ? { by, down: text2.startsWith("-") } : void 0;
}
function viewOf(state, folder3, last3) {
  const fresh2 = { sort: sortOf(last3) ?? { by: "name", down: false }, pages: 1, scroll: 0, focus: "" };
  const kept4 = state?.files;
  if (typeof kept4 !== "object" || kept4 === null || kept4.folder !== folder3) return fresh2;
  const sort = sortOf(kept4.sort);
  if (!sort) return fresh2;
  return {
    sort,
    pages: whole4(kept4.pages, 1, most3),
    scroll: whole4(kept4.scroll, 0, 1e7),
    focus: typeof kept4.focus === "string" ? kept4.focus : ""
  };
}
function whole4(n3, least2, most6) {
  return typeof n3 === "number" && Number.isFinite(n3) ? Math.min(most6, Math.max(least2, Math.round(n3))) : least2;
}
function stateOf(state, folder3, v4) {
  return { ...typeof state === "object" ? state : null, files: { folder: folder3, sort: sortText(v4.sort), pages: v4.pages, scroll: Math.round(v4.scroll), focus: v4.focus } };
}

// src/file/row.tsx
var columns2 = ["name", "size", "modified"];
function Heading({ by, sort, set }) {
  const mine2 = sort.by === by;
  return /* @__PURE__ */ a4("th", { scope: "col", class: "col-" + by, "aria-sort": mine2 ? sort.down ? "descending" : "ascending" : "none", children: [
    /* @__PURE__ */ a4("button", { type: "button", class: "sort", title: t8("sortBy", { column: t8(by) }), onClick: () => set({ by, down: mine2 && !sort.down }), children: [
      t8(by),
      " ",
      mine2 && /* @__PURE__ */ a4(Icon, { name: sort.down ? "arrowDown" : "arrowUp" })
    ] }),
    by === "name" && /* @__PURE__ */ a4(Sorting, { sort, set })
  ] });
}
function Sorting({ sort, set }) {
  const options = { name: t8("sortNameUp"), "-name": t8("sortNameDown"), "-modified": t8("sortNewest"), modified: t8("sortOldest"), "-size": t8("sortLargest"), size: t8("sortSmallest") };
  const now = sortText(sort);
  return /* @__PURE__ */ a4("label", { class: "sorting", children: [
    /* @__PURE__ */ a4("span", { class: "hidden", children: t8("sorting") }),
    /* @__PURE__ */ a4("select", { value: now, onChange: (event) => set(sortOf(event.currentTarget.value)), children: Object.entries(options).map(([value, text2]) => /* @__PURE__ */ a4("option", { value, selected: value === now, children: text2 }, value)) })
  ] });
}
function Row2({ entry: entry4, at, focus, selected, menu: menu2, draggable, takes, children, onClick, onToggle, onFocus, onLift, onLower }) {
  const tab = focus ? 0 : -1;
  return /* @__PURE__ */ a4(
    "tr",
    {
      "data-line": true,
      "data-at": at,
      "data-id": entry4.id,
      tabIndex: tab,
      "aria-selected": selected,
      "aria-rowindex": at + 2,
      draggable,
      onClick,
      onFocusIn: onFocus,
      onDragStart: onLift,
      onDragEnd: onLower,
      ...takes,
      children: [
        /* @__PURE__ */ a4("td", { class: "col-check", children: /* @__PURE__ */ a4("label", { children: /* @__PURE__ */ a4("input", { type: "checkbox", tabIndex: tab, checked: selected, "aria-label": t8("select", { name: entry4.name }), onChange: onToggle }) }) }),
        children,
        /* @__PURE__ */ a4("td", { class: "col-menu", children: /* @__PURE__ */ a4(Menu, { label: t8("rowMenu", { name: entry4.name }), items: menu2, tabIndex: tab, children: /* @__PURE__ */ a4(Icon, { name: "more" }) }) })
      ]
    }
  );
}
function NameCell({ entry: entry4, tab, onOpen, under }) {
  const icon = iconOf2(entry4);
  const name = /* @__PURE__ */ a4(Name, { name: entry4.name, read: !onOpen });
  return /* @__PURE__ */ a4("td", { class: "col-name", children: [
    /* @__PURE__ */ a4("span", { class: "name-cell", children: [
      /* @__PURE__ */ a4(Icon, { name: icon, class: "kind kind-" + icon }),
      !onOpen ? /* @__PURE__ */ a4("span", { class: "name-alone", children: name }) : entry4.kind === "folder" ? /* @__PURE__ */ a4("a", { tabIndex: tab, href: "/files/" + entry4.id, draggable: false, "aria-label": entry4.name, children: name }) : /* @__PURE__ */ a4("button", { type: "button", class: "link", tabIndex: tab, "aria-label": t8("openOf", { name: entry4.name }), onClick: onOpen, children: name }),
      onOpen && /* @__PURE__ */ a4(Marks, { entry: entry4, tab }),
      entry4.damaged && /* @__PURE__ */ a4("strong", { class: "danger-text", children: t8("damaged") })
    ] }),
    /* @__PURE__ */ a4("span", { class: "under", children: under })
  ] });
}
function SizeAndTime({ entry: entry4 }) {
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4("td", { class: "col-size", children: entry4.kind === "folder" ? "–" : size(entry4.size) }),
    /* @__PURE__ */ a4("td", { class: "col-modified", children: /* @__PURE__ */ a4(Time, { at: entry4.modified_at, children: ago(entry4.modified_at) }) })
  ] });
}
var brief2 = (entry4) => [entry4.kind === "folder" ? t8("folder") : size(entry4.size), ago(entry4.modified_at)].join(" · ");
function Gap({ rows, height }) {
  return /* @__PURE__ */ a4("tr", { class: "gap", "aria-hidden": "true", children: /* @__PURE__ */ a4("td", { colSpan: 6, ref: (cell) => {
    if (cell) cell.style.height = rows * height + "px";
  } }) });
}
function More({ load: load2, problem: problem2, seen }) {
  const button = T2(null);
  A2(() => {
    if (problem2) return;
    const watch = new IntersectionObserver((seen2) => seen2.some((s4) => s4.isIntersecting) && load2(), { rootMargin: "1500px" });
    watch.observe(button.current);
    return () => watch.disconnect();
  }, [load2, problem2]);
  return /* @__PURE__ */ a4("div", { class: "more", children: [
    problem2 && /* @__PURE__ */ a4(Failed, { problem: problem2 }),
    /* @__PURE__ */ a4("p", { class: "hint", role: "status", children: seen !== void 0 && /* @__PURE__ */ a4($, { children: [
      /* @__PURE__ */ a4("span", { class: "spinner", "aria-hidden": "true" }),
      " ",
      t8("seeking", { count: seen })
    ] }) }),
    /* @__PURE__ */ a4("button", { ref: button, type: "button", class: "button", onClick: load2, children: t8("more") })
  ] });
}

// src/file/thumbnail.ts
var atOnce3 = 4;
var most4 = 400;
var kept3 = /* @__PURE__ */ new Map();
var waiting = [];
var running3 = 0;
function startThumbnails() {
  x2(() => {
    if (auth.value.is === "in") return;
    for (const url of kept3.values()) URL.revokeObjectURL(url);
    kept3.clear();
    waiting = [];
  });
}
function use(key3) {
  const url = kept3.get(key3);
  if (url === void 0) return void 0;
  kept3.delete(key3);
  kept3.set(key3, url);
  return url;
}
function work2() {
  while (running3 < atOnce3) {
    const wish = waiting.pop();
    if (!wish) return;
    if (wish.signal.aborted) continue;
    running3++;
    void bring(wish).then(wish.settle, () => wish.settle(void 0)).finally(() => {
      running3--;
      work2();
    });
  }
}
async function bring({ entry: entry4, key: key3, signal }) {
  const known3 = use(key3);
  if (known3) return known3;
  const response = await stream("/files/{id}/thumbnail", { path: { id: entry4.id }, signal, quiet: true });
  const blob = await response.blob();
  if (auth.peek().is !== "in") return void 0;
  const url = URL.createObjectURL(blob);
  kept3.set(key3, url);
  for (const [old, gone3] of kept3) {
    if (kept3.size <= most4) break;
    kept3.delete(old);
    URL.revokeObjectURL(gone3);
  }
  return url;
}
function useThumbnail(entry4) {
  const box = T2(null);
  const key3 = entry4.thumbnail ? entry4.sha256 ?? entry4.id : void 0;
  const [url, setUrl] = d2(() => key3 === void 0 ? void 0 : use(key3));
  A2(() => {
    if (key3 === void 0 || url !== void 0) return;
    const stop = new AbortController();
    const watch = new IntersectionObserver((seen) => {
      if (!seen.some((s4) => s4.isIntersecting)) return;
      watch.disconnect();
      waiting.push({ entry: entry4, key: key3, signal: stop.signal, settle: (to) => stop.signal.aborted || setUrl(to) });
      work2();
    }, { rootMargin: "200px" });
    watch.observe(box.current);
    return () => {
      watch.disconnect();
      stop.abort();
    };
  }, [key3]);
  return [box, url];
}

// src/file/tile.tsx
function Tile({ entry: entry4, at, column, focus, selected, menu: menu2, draggable, takes, under, onClick, onToggle, onOpen, onFocus, onLift, onLower }) {
  const tab = focus ? 0 : -1;
  const name = /* @__PURE__ */ a4(Name, { name: entry4.name, read: !onOpen });
  return /* @__PURE__ */ a4(
    "div",
    {
      role: "gridcell",
      class: "tile",
      "data-at": at,
      "data-id": entry4.id,
      tabIndex: tab,
      "aria-selected": selected,
      "aria-colindex": column + 1,
      draggable,
      onClick,
      onFocusIn: onFocus,
      onDragStart: onLift,
      onDragEnd: onLower,
      ...takes,
      children: [
        /* @__PURE__ */ a4(Face2, { entry: entry4 }, entry4.sha256),
        /* @__PURE__ */ a4("label", { class: "tile-check", children: /* @__PURE__ */ a4("input", { type: "checkbox", tabIndex: tab, checked: selected, "aria-label": t8("select", { name: entry4.name }), onChange: onToggle }) }),
        /* @__PURE__ */ a4("div", { class: "tile-text", children: [
          /* @__PURE__ */ a4("div", { class: "tile-name", children: [
            !onOpen ? name : entry4.kind === "folder" ? /* @__PURE__ */ a4("a", { tabIndex: tab, href: "/files/" + entry4.id, draggable: false, "aria-label": entry4.name, children: name }) : /* @__PURE__ */ a4("button", { type: "button", class: "link", tabIndex: tab, "aria-label": t8("openOf", { name: entry4.name }), onClick: onOpen, children: name }),
            onOpen && /* @__PURE__ */ a4(Marks, { entry: entry4, tab }),
            entry4.damaged && /* @__PURE__ */ a4("strong", { class: "danger-text", children: t8("damaged") })
          ] }),
          /* @__PURE__ */ a4("div", { class: "tile-under", children: under })
        ] }),
        /* @__PURE__ */ a4(Menu, { label: t8("rowMenu", { name: entry4.name }), items: menu2, tabIndex: tab, children: /* @__PURE__ */ a4(Icon, { name: "more" }) })
      ]
    }
  );
}
function Face2({ entry: entry4 }) {
  const [face, url] = useThumbnail(entry4);
  const [broken2, setBroken] = d2(false);
  const icon = iconOf2(entry4);
  return /* @__PURE__ */ a4("div", { ref: face, class: "tile-face", children: url && !broken2 ? /* @__PURE__ */ a4("img", { src: url, alt: "", draggable: false, onError: () => setBroken(true) }) : /* @__PURE__ */ a4(Icon, { name: icon, class: "kind kind-" + icon }) });
}
function TileGap({ height }) {
  return /* @__PURE__ */ a4("div", { class: "gap", "aria-hidden": "true", ref: (gap) => {
    if (gap) gap.style.height = height + "px";
  } });
}

// src/file/window.ts
var inList = { around: 20, step: 8, height: 48.75 };
var inTiles = { around: 4, step: 2, height: 236 };
function inView(top2, screen, height, count2, { around, step } = inList) {
  const first = Math.floor((-top2 / height - around) / step) * step;
  const end4 = Math.ceil(((screen - top2) / height + around) / step) * step;
  return [Math.min(Math.max(0, first), count2), Math.min(Math.max(0, end4), count2)];
}
function drawn([first, end4], focus, count2) {
  const rows = Array.from({ length: Math.max(0, Math.min(end4, count2) - first) }, (_4, i4) => first + i4);
  if (focus < first && focus < count2) rows.unshift(focus);
  else if (focus >= end4 && focus < count2) rows.push(focus);
  return rows;
}
function useWindow(box, count2, focus, lines) {
  const [range2, setRange] = d2([0, Math.min(count2, 2 * lines.around)]);
  const [height, setHeight] = d2(lines.height);
  const look2 = T2(() => void 0);
  look2.current = () => {
    const body = box.current?.querySelector("[data-body]");
    if (!body) return;
    const line = body.querySelector("[data-line]")?.getBoundingClientRect().height || height;
    if (Math.abs(line - height) > 0.01) setHeight(line);
    lines.height = line;
    const [first, end4] = inView(body.getBoundingClientRect().top, innerHeight, line, count2, lines);
    setRange((now) => now[0] === first && now[1] === end4 ? now : [first, end4]);
  };
  F2(() => look2.current(), [count2, height]);
  F2(() => {
    const again3 = () => look2.current();
    addEventListener("scroll", again3, { passive: true });
    addEventListener("resize", again3);
    return () => {
      removeEventListener("scroll", again3);
      removeEventListener("resize", again3);
    };
  }, []);
  const active3 = document.activeElement;
  F2(() => {
    if (active3 instanceof HTMLElement && active3 !== document.activeElement && active3.isConnected && document.activeElement === document.body && box.current?.contains(active3)) active3.focus({ preventScroll: true });
  });
  return { rows: drawn(range2, focus, count2), height };
}

// src/file/list.tsx
function useLines({ grid, list: list2, deeds: deeds2, here: here2 }, columns3) {
  const { picked, setPicked, whole: whole7, box, wanted: wanted4 } = grid;
  const items = grid.items;
  F2(() => {
    const to = wanted4.current;
    const item2 = to && box.current?.querySelector(`[data-at="${to.at}"]`);
    if (!item2) return;
    wanted4.current = void 0;
    item2.focus({ preventScroll: to.still });
  });
  function go2(all3, from, to, stretch) {
    setPicked(stretch ? range({ ...picked, anchor: picked.ids.size ? picked.anchor : from }, all3, to) : { ...picked, focus: to, anchor: to });
    wanted4.current = { at: to, still: false };
  }
  async function toEnd(from, stretch) {
    go2(items, from, items.length - 1, stretch);
    const all3 = await whole7.reach();
    if (all3?.length) go2(all3, from, all3.length - 1, stretch);
  }
  function key3(event) {
    const item2 = event.target.closest("[data-at]");
    if (!item2) return;
    const at = Number(item2.getAttribute("data-at"));
    const onItem = event.target === item2;
    const to = event.altKey ? void 0 : moved3(event.key, at, items.length, columns3);
    if (to !== void 0) whole7.stay();
    if (to !== void 0 && event.key === "End" && list2.more) {
      void toEnd(at, event.shiftKey);
    } else if (to !== void 0) {
      go2(items, at, to, event.shiftKey);
    } else if (event.key === " " && onItem) {
      setPicked(event.shiftKey ? range(picked, items, at) : toggle(picked, items, at));
    } else if (event.key.toLowerCase() === "a" && (event.ctrlKey || event.metaKey)) {
      void whole7.select();
    } else if (event.key === "Enter" && onItem && deeds2.open) {
      deeds2.open(items[at]);
    } else if (!deeds2.key?.(event.key, items[at], grid.meant(at))) {
      return;
    }
    event.preventDefault();
  }
  const pressed = T2(void 0);
  const open2 = T2(deeds2.open);
  open2.current = deeds2.open;
  A2(() => {
    const again3 = (event) => {
      const first = pressed.current;
      pressed.current = void 0;
      if (!first || event.detail < 2 || Math.hypot(event.clientX - first.x, event.clientY - first.y) > 4) return;
      event.preventDefault();
      event.stopPropagation();
      open2.current?.(first.entry);
    };
    document.addEventListener("click", again3, true);
    return () => document.removeEventListener("click", again3, true);
  }, []);
  function click2(event, at) {
    if (event.target.closest("a, button, input, label")) return;
    if (!event.shiftKey && !event.ctrlKey && !event.metaKey) pressed.current = { entry: items[at], x: event.clientX, y: event.clientY };
    if (event.shiftKey) setPicked(range(picked, items, at));
    else if (event.ctrlKey || event.metaKey) setPicked(toggle(picked, items, at));
    else setPicked(only(items, at));
  }
  function raise(event, at) {
    const entries2 = grid.meant(at);
    lift(event, entries2, entries2.length === 1 ? entries2[0].name : t8("items", { count: entries2.length }));
  }
  function item(at) {
    const entry4 = items[at];
    return {
      entry: entry4,
      at,
      focus: at === picked.focus,
      selected: picked.ids.has(entry4.id),
      menu: deeds2.menu(entry4),
      draggable: deeds2.receive !== void 0,
      onClick: (event) => click2(event, at),
      onToggle: () => setPicked(toggle(picked, items, at)),
      onOpen: deeds2.open && (() => deeds2.open(entry4)),
      takes: entry4.kind === "folder" && deeds2.receive ? target(entry4.id, entry4.name, here2 ?? "*", deeds2.receive) : void 0,
      onLift: (event) => raise(event, at),
      onLower: lower,
      onFocus: () => {
        if (picked.focus !== at) setPicked((p5) => ({ ...p5, focus: at }));
      }
    };
  }
  const all2 = list2.total === void 0 ? t8("selectAllOpen") : t8("selectAllOf", { count: list2.total });
  const selectAll = /* @__PURE__ */ a4("label", { children: /* @__PURE__ */ a4(
    "input",
    {
      type: "checkbox",
      "aria-label": all2,
      checked: whole7.all,
      ref: (input) => {
        if (input) input.indeterminate = grid.selected.length > 0 && !whole7.all;
      },
      onChange: () => whole7.all ? whole7.clear() : void whole7.select()
    }
  ) });
  return { items, box, key: key3, item, selectAll };
}
function useSamePlace(box, line, lines) {
  A2(() => {
    const at = arrive2();
    const body = box.current?.querySelector("[data-body]");
    if (at === void 0 || !body) return;
    const edge = parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop) || 0;
    scrollTo(0, body.getBoundingClientRect().top + scrollY + line(at) * lines.height - edge);
  }, []);
}
function spread(rows, count2, line, gap) {
  const lines = [];
  let next = 0;
  let gaps = 0;
  for (const at of [...rows, count2]) {
    if (at > next) lines.push(gap("gap" + gaps++, at - next));
    if (at < count2) lines.push(line(at));
    next = at + 1;
  }
  return lines;
}
function List({ headings, cells, name, ...common }) {
  const { list: list2, label, keys: keys2, grid } = common;
  const { items, box, key: key3, item, selectAll } = useLines(common, 1);
  const { rows, height } = useWindow(box, items.length, grid.picked.focus, inList);
  useSamePlace(box, (at) => at, inList);
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4("table", { ref: box, class: "list" + (name ? " " + name : ""), role: "grid", "aria-multiselectable": "true", "aria-label": label, "aria-rowcount": list2.total === void 0 ? -1 : list2.total + 1, "aria-describedby": "file-keys", onKeyDown: key3, children: [
      /* @__PURE__ */ a4("thead", { children: /* @__PURE__ */ a4("tr", { "aria-rowindex": 1, children: [
        /* @__PURE__ */ a4("th", { class: "col-check", scope: "col", children: selectAll }),
        headings,
        /* @__PURE__ */ a4("th", { class: "col-menu", scope: "col", children: /* @__PURE__ */ a4("span", { class: "hidden", children: t8("actions") }) })
      ] }) }),
      /* @__PURE__ */ a4("tbody", { "data-body": true, children: spread(
        rows,
        items.length,
        (at) => /* @__PURE__ */ a4(Row2, { ...item(at), children: cells(items[at], at === grid.picked.focus ? 0 : -1) }, items[at].id),
        (id, gone3) => /* @__PURE__ */ a4(Gap, { rows: gone3, height }, id)
      ) })
    ] }),
    /* @__PURE__ */ a4("p", { class: "hidden", id: "file-keys", children: keys2 }),
    list2.more && /* @__PURE__ */ a4(More, { load: list2.more, problem: list2.problem, seen: grid.whole.seeking })
  ] });
}
var narrowest = 10 * 16;
var phones = 9 * 16;
var columnsOf = (width) => Math.max(2, Math.floor((width + 16) / ((width < 640 ? phones : narrowest) + 16)));
var columnsBefore = 6;
function Tiles({ sorting, under, ...common }) {
  const { list: list2, label, keys: keys2, grid } = common;
  const [columns3, setColumns] = d2(columnsBefore);
  const { items, box, key: key3, item, selectAll } = useLines(common, columns3);
  const count2 = Math.ceil(items.length / columns3);
  const { rows, height } = useWindow(box, count2, Math.floor(grid.picked.focus / columns3), inTiles);
  const body = T2(null);
  F2(() => {
    const fit2 = () => {
      columnsBefore = columnsOf(body.current.clientWidth);
      setColumns(columnsBefore);
    };
    fit2();
    const watch = new ResizeObserver(fit2);
    watch.observe(body.current);
    return () => watch.disconnect();
  }, []);
  useSamePlace(box, (at) => Math.floor(at / columnsBefore), inTiles);
  F2(() => body.current.style.setProperty("--columns", String(columns3)), [columns3]);
  const tiles = (line) => items.slice(line * columns3, (line + 1) * columns3).map((entry4, i4) => {
    const at = line * columns3 + i4;
    return /* @__PURE__ */ a4(Tile, { column: i4, ...item(at), under: under(entry4, at === grid.picked.focus ? 0 : -1) }, entry4.id);
  });
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4("div", { class: "tiles-head", children: [
      selectAll,
      sorting
    ] }),
    /* @__PURE__ */ a4("div", { ref: box, class: "tiles", role: "grid", "aria-multiselectable": "true", "aria-label": label, "aria-rowcount": list2.total === void 0 ? -1 : Math.ceil(list2.total / columns3), "aria-colcount": columns3, "aria-describedby": "file-keys", onKeyDown: key3, children: /* @__PURE__ */ a4("div", { ref: body, role: "rowgroup", "data-body": true, children: spread(
      rows,
      count2,
      (line) => /* @__PURE__ */ a4("div", { role: "row", class: "tiles-line", "data-line": true, "aria-rowindex": line + 1, children: tiles(line) }, "line" + line),
      (id, gone3) => /* @__PURE__ */ a4(TileGap, { height: gone3 * height }, id)
    ) }) }),
    /* @__PURE__ */ a4("p", { class: "hidden", id: "file-keys", children: keys2 }),
    list2.more && /* @__PURE__ */ a4(More, { load: list2.more, problem: list2.problem, seen: grid.whole.seeking })
  ] });
}

// src/file/remember.ts
var last = "coffer.files.sort";
function useView(folder3, address3) {
  const start2 = w2(() => viewOf(history.state, folder3, sessionStorage.getItem(last)), [folder3]);
  const [chosen3, choose5] = d2();
  const mine2 = chosen3?.after === start2 ? chosen3.sort : void 0;
  const sort = mine2 ?? start2.sort;
  const shown2 = T2(void 0);
  const write3 = T2(() => void 0);
  function setSort(to) {
    sessionStorage.setItem(last, sortText(to));
    choose5({ after: start2, sort: to });
  }
  const follow2 = ({ items, pages: pages2, focus, refocus }) => {
    write3.current = (row) => {
      if (shown2.current !== folder3 || location.pathname !== address3) return;
      const id = row ?? (focus > 0 ? items?.[focus]?.id : void 0);
      history.replaceState(stateOf(history.state, folder3, { sort, pages: pages2(), scroll: scrollY, focus: id ?? "" }), "");
    };
    A2(() => {
      if (!items || shown2.current === folder3) return;
      shown2.current = folder3;
      if (start2.scroll > 0) scrollTo(0, start2.scroll);
      const at = start2.focus ? items.findIndex((e4) => e4.id === start2.focus) : -1;
      if (at >= 0) refocus(at);
    }, [items, folder3]);
    A2(() => write3.current(), [sort, focus, items]);
  };
  A2(() => {
    let timer2;
    const later2 = () => {
      const move = moves.peek();
      clearTimeout(timer2);
      timer2 = setTimeout(() => move === moves.peek() && write3.current(), 150);
    };
    const now = () => write3.current();
    const press = (event) => write3.current(event.target.closest("[data-at]")?.getAttribute("data-id") ?? void 0);
    addEventListener("scroll", later2, { passive: true });
    addEventListener("pagehide", now);
    document.addEventListener("click", press, { capture: true });
    document.addEventListener("keydown", press, { capture: true });
    return () => {
      clearTimeout(timer2);
      removeEventListener("scroll", later2);
      removeEventListener("pagehide", now);
      document.removeEventListener("click", press, { capture: true });
      document.removeEventListener("keydown", press, { capture: true });
    };
  }, []);
  return { sort, setSort, pages: mine2 ? 1 : start2.pages, follow: follow2 };
}

// src/file/page.tsx
function Files({ params }) {
  const folder3 = params.folder ?? "";
  const view = useView(folder3, "/files" + (folder3 && "/" + folder3));
  const { sort } = view;
  const of = `${folder3} ${sortText(sort)}`;
  const way = useLoad((signal) => path2(folder3, signal), [folder3]);
  const list2 = useListing(of, (cursor, limit, signal) => list(folder3, sort, cursor, signal, limit), changesOf(folder3), view.pages);
  const grid = useGrid(of, list2, view);
  const here2 = way.data?.at(-1)?.name ?? t8("files");
  const above = way.data?.at(-2);
  const [deeds2, dialogs] = useDeeds(grid, list2, { id: folder3, name: here2 });
  useParent(folder3 && way.data ? above ? "/files/" + above.id : "/files" : void 0, above?.name ?? t8("files"));
  const seen = ["", ...(way.data?.slice(0, -1) ?? []).map((e4) => e4.id)].map(changesOf).join();
  const last3 = T2({ folder: folder3, seen });
  A2(() => {
    const before2 = last3.current;
    last3.current = { folder: folder3, seen };
    if (folder3 && before2.folder === folder3 && before2.seen !== seen) void way.reload();
  }, [seen]);
  if (way.problem) return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4("h1", { children: t8("files") }),
    /* @__PURE__ */ a4(Failed, { problem: way.problem, retry: way.reload }),
    /* @__PURE__ */ a4("p", { children: /* @__PURE__ */ a4("a", { class: "button", href: "/files", children: t8("files") }) })
  ] });
  const { items } = list2;
  const shared = { grid, list: list2, deeds: deeds2, label: t8("listOf", { name: here2 }), here: folder3, keys: t8("keys") };
  return /* @__PURE__ */ a4("div", { class: "files", children: [
    /* @__PURE__ */ a4("div", { class: "files-head", children: [
      /* @__PURE__ */ a4(Crumbs, { way: way.data, folder: folder3, onReceive: deeds2.receive }),
      items && items.length > 0 && /* @__PURE__ */ a4(LayoutChoice, {})
    ] }),
    /* @__PURE__ */ a4(Selection, { grid, list: list2, deeds: deeds2 }),
    list2.problem && !list2.more && /* @__PURE__ */ a4(Failed, { problem: list2.problem, retry: list2.reload }),
    !items ? !list2.problem && /* @__PURE__ */ a4(Skeleton, { rows: 6 }) : items.length === 0 ? /* @__PURE__ */ a4(Empty, { icon: "folder", title: folder3 ? t8("emptyFolderTitle") : t8("emptyTitle"), children: [
      /* @__PURE__ */ a4("p", { children: t8("emptyText") }),
      /* @__PURE__ */ a4("p", { children: /* @__PURE__ */ a4("button", { type: "button", class: "button primary big", onClick: chooseFiles, children: [
        /* @__PURE__ */ a4(Icon, { name: "upload" }),
        " ",
        t8("uploadFiles")
      ] }) })
    ] }) : layout.value === "tiles" ? /* @__PURE__ */ a4(Tiles, { ...shared, sorting: /* @__PURE__ */ a4(Sorting, { sort, set: view.setSort }), under: (entry4) => /* @__PURE__ */ a4("span", { "aria-hidden": "true", children: brief2(entry4) }) }) : /* @__PURE__ */ a4(
      List,
      {
        ...shared,
        headings: columns2.map((by) => /* @__PURE__ */ a4(Heading, { by, sort, set: view.setSort }, by)),
        cells: (entry4, tab) => /* @__PURE__ */ a4($, { children: [
          /* @__PURE__ */ a4(NameCell, { entry: entry4, tab, onOpen: () => deeds2.open(entry4), under: /* @__PURE__ */ a4("span", { "aria-hidden": "true", children: brief2(entry4) }) }),
          /* @__PURE__ */ a4(SizeAndTime, { entry: entry4 })
        ] })
      }
    ),
    /* @__PURE__ */ a4(DropZone, { label: t8("dropHere", { name: here2 }), onDrop: (transfer) => void upload(dropped2(transfer), folder3) }),
    dialogs
  ] });
}

// src/file/unfinished.tsx
function askDiscard(name, discard3) {
  return ask((close) => /* @__PURE__ */ a4(Confirm, { title: t8("discardTitle"), action: t8("discard"), onConfirm: discard3, onClose: close, children: [
    /* @__PURE__ */ a4("p", { class: "long-name", children: name }),
    /* @__PURE__ */ a4("p", { children: t8("discardText") })
  ] }));
}

// src/file/panel.tsx
var most5 = 100;
function Uploads() {
  return uploads.value.length + downloads.value.length === 0 ? null : /* @__PURE__ */ a4(Panel, {});
}
function Panel() {
  const open2 = panel.value ?? false;
  const all2 = uploads.value;
  const busy3 = active2.value;
  const running7 = all2.filter((u4) => runs(u4) || u4.state.value === "paused");
  const left2 = all2.filter((u4) => u4.state.value === "left");
  const paused = running7.length - busy3;
  const missing = all2.filter((u4) => u4.state.value === "failed" || u4.state.value === "cancelled");
  const done = all2.filter((u4) => u4.state.value === "done");
  const failed = missing.filter((u4) => u4.state.value === "failed").length;
  const own = downloads.value;
  const coming2 = downloading.value;
  const broken2 = own.filter((d5) => d5.state.value === "failed").length;
  const title = busy3 > 0 ? t8("uploading", { count: busy3 }) : coming2 > 0 ? t8("downloading") : failed > 0 ? t8("uploadsFailed", { count: failed }) : broken2 > 0 ? t8("downloadFailed") : paused > 0 ? t8("uploadsPaused", { count: paused }) : left2.length > 0 ? t8("uploadsLeft", { count: left2.length }) : all2.length > 0 ? t8("uploaded", { count: done.length }) : own.some((d5) => d5.state.value === "done") ? t8("downloaded") : t8("downloadCancelled");
  A2(() => {
    if (broken2 > 0) panel.value = true;
  }, [broken2]);
  const label = all2.length > 0 ? t8("uploads") : t8("downloads");
  return /* @__PURE__ */ a4("section", { ref: useRoom(), class: "uploads", "aria-label": label, children: [
    /* @__PURE__ */ a4("div", { class: "uploads-head", children: [
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("h2", { "aria-live": "polite", children: title }),
        busy3 > 0 && /* @__PURE__ */ a4(Sum, {}),
        busy3 > 0 && failed > 0 && !open2 && /* @__PURE__ */ a4("p", { class: "error", children: t8("uploadsFailed", { count: failed }) })
      ] }),
      /* @__PURE__ */ a4("button", { type: "button", class: "icon-button", "aria-expanded": open2, "aria-label": open2 ? t8("less") : t8("details"), title: open2 ? t8("less") : t8("details"), onClick: () => {
        panel.value = !open2;
      }, children: /* @__PURE__ */ a4(Icon, { name: "chevron", class: open2 ? "down" : "up" }) }),
      running7.length + coming2 === 0 && /* @__PURE__ */ a4("button", { type: "button", class: "icon-button", "aria-label": t8("closeUploads"), title: t8("closeUploads"), onClick: clear, children: /* @__PURE__ */ a4(Icon, { name: "close" }) })
    ] }),
    busy3 > 0 && /* @__PURE__ */ a4("progress", { value: totals.value.sent, max: Math.max(1, totals.value.size), "aria-label": t8("allUploads") }),
    open2 && /* @__PURE__ */ a4("div", { class: "uploads-list", tabIndex: 0, role: "group", "aria-label": label, children: [
      own.length > 0 && /* @__PURE__ */ a4("ul", { class: "uploads-group", children: own.map((d5, i4) => /* @__PURE__ */ a4(Coming, { download: d5 }, i4)) }),
      /* @__PURE__ */ a4(Group, { title: t8("notUploaded"), list: missing, children: missing.length > 1 && /* @__PURE__ */ a4("button", { type: "button", class: "link", onClick: () => retry(missing), children: t8("retryAll") }) }),
      /* @__PURE__ */ a4(Group, { title: t8("unfinished"), list: left2, hint: t8("unfinishedText", { count: left2.length }), children: /* @__PURE__ */ a4("button", { type: "button", class: "link", onClick: chooseAgain, children: t8("chooseFiles", { count: left2.length }) }) }),
      /* @__PURE__ */ a4(Group, { title: t8("underWay"), list: running7, children: running7.length > 1 && /* @__PURE__ */ a4("button", { type: "button", class: "link", onClick: cancelAll, children: t8("cancelAll") }) }),
      /* @__PURE__ */ a4(Group, { title: t8("arrived", { count: done.length }), list: done, folded: true })
    ] })
  ] });
}
function useRoom() {
  const box = T2(null);
  F2(() => {
    const root = document.documentElement;
    const measure = () => root.style.setProperty("--uploads", Math.ceil(innerHeight - box.current.getBoundingClientRect().top) + "px");
    const watch = new ResizeObserver(measure);
    watch.observe(box.current);
    addEventListener("resize", measure);
    return () => {
      watch.disconnect();
      removeEventListener("resize", measure);
      root.style.removeProperty("--uploads");
    };
  }, []);
  return box;
}
function Sum() {
  void clock2.value;
  const { size: whole7, sent } = totals.value;
  const moves2 = uploads.value.some((u4) => u4.state.value === "sending");
  return /* @__PURE__ */ a4("p", { class: "hint", children: [percent(sent, whole7), ...moves2 ? pace(meter, whole7 - sent) : []].join(" · ") });
}
function Group({ title, list: list2, folded, hint, children }) {
  const [open2, setOpen] = d2(false);
  const id = P2();
  if (list2.length === 0) return null;
  return /* @__PURE__ */ a4("div", { class: "uploads-group", children: [
    /* @__PURE__ */ a4("div", { class: "uploads-title", children: [
      folded ? /* @__PURE__ */ a4("h3", { children: /* @__PURE__ */ a4("button", { type: "button", class: "uploads-fold", "aria-expanded": open2, "aria-controls": open2 ? id : void 0, onClick: () => setOpen(!open2), children: [
        /* @__PURE__ */ a4(Icon, { name: "chevron", class: open2 ? "down" : void 0 }),
        " ",
        title
      ] }) }) : /* @__PURE__ */ a4("h3", { children: title }),
      children
    ] }),
    hint && /* @__PURE__ */ a4("p", { class: "uploads-hint hint", children: hint }),
    (!folded || open2) && /* @__PURE__ */ a4("ul", { id, children: [
      list2.slice(0, most5).map((u4) => /* @__PURE__ */ a4(Row3, { upload: u4 }, u4.id)),
      list2.length > most5 && /* @__PURE__ */ a4("li", { class: "upload hint", children: t8("others", { count: list2.length - most5 }) })
    ] })
  ] });
}
function chooseAgain() {
  pick2({}, (files) => {
    const strange = choose2(files);
    if (strange.length > 0) toast(t8("otherFile", { count: strange.length, name: strange[0].name }), true);
  });
}
var holds = { busy: "held", lost: "lost" };
function numbers(u4) {
  const state = u4.state.value;
  const held4 = u4.held.value;
  const sent = u4.sent.value;
  if (state === "sending") {
    if (held4 && held4 !== "answer") return [t8(holds[held4])];
    if (sent >= u4.size) return [t8("finishing")];
    return [percent(sent, u4.size), t8("sentOf", { sent: size(sent), size: size(u4.size) }), ...pace(u4.meter, u4.size - sent)];
  }
  if (state === "paused" || state === "left") return [...state === "paused" ? [t8("state_paused")] : [], percent(sent, u4.size), t8("sentOf", { sent: size(sent), size: size(u4.size) })];
  return [u4.became.value ? t8("became") : held4 === "answer" && state === "asking" ? t8("asked") : t8(`state_${state}`), size(u4.size)];
}
var why = (p5) => p5.fields[0] ? sayField(p5.fields[0]) : say(p5);
function Row3({ upload: u4 }) {
  const state = u4.state.value;
  const problem2 = u4.problem.value;
  const name = u4.shown.value;
  const sending = state === "sending";
  if (sending) void clock2.value;
  const press = (icon, what, label, run2) => /* @__PURE__ */ a4("button", { type: "button", class: "icon-button", "aria-label": label, title: what, onClick: run2, children: /* @__PURE__ */ a4(Icon, { name: icon }) });
  return /* @__PURE__ */ a4("li", { class: "upload " + state, children: [
    /* @__PURE__ */ a4("div", { class: "upload-text", children: [
      /* @__PURE__ */ a4("p", { class: "upload-name", children: /* @__PURE__ */ a4(Name, { name, read: true }) }),
      (sending || state === "paused" || state === "left") && /* @__PURE__ */ a4("progress", { value: u4.sent.value, max: Math.max(1, u4.size), "aria-label": t8("progressOf", { name }) }),
      /* @__PURE__ */ a4("p", { class: "hint", children: state === "failed" && problem2 ? /* @__PURE__ */ a4("span", { class: "error", children: [
        why(problem2),
        /* @__PURE__ */ a4(Remedy, { problem: problem2 })
      ] }) : numbers(u4).join(" · ") })
    ] }),
    state === "done" && /* @__PURE__ */ a4(Icon, { name: "check", class: "good" }),
    (sending || state === "waiting") && resumable(u4) && press("pause", t8("pause"), t8("pauseOf", { name }), () => pause(u4)),
    state === "paused" && press("play", t8("resume"), t8("resumeOf", { name }), () => resume2(u4)),
    (runs(u4) || state === "paused") && press("close", t8("cancel"), t8("cancelOf", { name }), () => cancel(u4)),
    state === "left" && press("trash", t8("discard"), t8("discardOf", { name }), () => void askDiscard(u4.name, () => discard2(u4))),
    (state === "failed" || state === "cancelled") && press("retry", t8("retry"), t8("retryOf", { name }), () => retry([u4]))
  ] });
}
function Coming({ download: d5 }) {
  const [meter2] = d2(() => new Meter());
  void clock2.value;
  const state = d5.state.value;
  const bytes2 = d5.received.value;
  const now = performance.now();
  if (state === "running") meter2.note(now, bytes2);
  const speed = meter2.speed(now);
  const name = d5.name();
  const problem2 = d5.problem.value;
  return /* @__PURE__ */ a4("li", { class: "upload", children: [
    /* @__PURE__ */ a4("div", { class: "upload-text", children: [
      /* @__PURE__ */ a4("p", { class: "upload-name", children: name }),
      state === "running" && /* @__PURE__ */ a4("progress", { "aria-label": t8("progressOf", { name }) }),
      /* @__PURE__ */ a4("p", { class: "hint", children: state === "failed" && problem2 ? /* @__PURE__ */ a4("span", { class: "error", children: say(problem2) }) : state === "running" ? bytes2 === 0 ? t8("preparing") : [t8("received", { size: size(bytes2) }), ...speed ? [perSecond(speed)] : []].join(" · ") : state === "done" ? [t8("downloaded"), size(bytes2)].join(" · ") : t8("state_cancelled") })
    ] }),
    state === "running" && /* @__PURE__ */ a4("button", { type: "button", class: "icon-button", "aria-label": t8("cancelOf", { name }), title: t8("cancel"), onClick: () => d5.cancel(), children: /* @__PURE__ */ a4(Icon, { name: "close" }) }),
    state === "done" && /* @__PURE__ */ a4(Icon, { name: "check", class: "good" }),
    (state === "failed" || state === "cancelled") && /* @__PURE__ */ a4("button", { type: "button", class: "icon-button", "aria-label": t8("retryOf", { name }), title: t8("retry"), onClick: () => d5.again(), children: /* @__PURE__ */ a4(Icon, { name: "retry" }) })
  ] });
}

// src/file/search.tsx
function scopeOf(search) {
  const query = new URLSearchParams(search);
  const [from, below2] = [query.get("from"), query.get("below")];
  return below2 ? { below: below2 } : from ? { from } : {};
}
var addressOf = (q2, scope) => "/search?" + new URLSearchParams({ ...q2 && { q: q2 }, ...scope }).toString();
function searchFrom() {
  const { path: path3, search } = place.value;
  const folder3 = /^\/files\/([^/]+)/.exec(path3)?.[1];
  return folder3 ? { from: folder3 } : path3 === "/search" ? { ...scopeOf(search) } : {};
}
function Search2() {
  const q2 = new URLSearchParams(place.value.search).get("q")?.trim() ?? "";
  const scope = scopeOf(place.value.search);
  const folder3 = scope.below ?? scope.from;
  useParent(folder3 ? "/files/" + folder3 : "/files", t8("files"));
  return /* @__PURE__ */ a4("div", { class: "files", children: [
    /* @__PURE__ */ a4("div", { class: "files-head search-head", children: [
      /* @__PURE__ */ a4("h1", { children: q2 ? t8("hitsFor", { q: q2 }) : t8("search") }),
      q2 && /* @__PURE__ */ a4(LayoutChoice, {})
    ] }),
    /* @__PURE__ */ a4(SearchField, { q: q2, scope }, q2),
    folder3 && /* @__PURE__ */ a4(Where, { folder: folder3, q: q2, below: scope.below !== void 0 }, folder3),
    q2 ? /* @__PURE__ */ a4(Hits, { q: q2, below: scope.below }, addressOf(q2, scope)) : /* @__PURE__ */ a4(Empty, { icon: "search", title: t8("searchTitle"), children: /* @__PURE__ */ a4("p", { children: t8("searchText") }) })
  ] });
}
function Where({ folder: folder3, q: q2, below: below2 }) {
  const { data } = useLoad((signal) => get("/files/{id}", { path: { id: folder3 }, signal }), [folder3]);
  if (!data && !below2) return null;
  return /* @__PURE__ */ a4("nav", { class: "scope", "aria-label": t8("searchWhere"), children: [
    /* @__PURE__ */ a4("a", { href: addressOf(q2, { from: folder3 }), "aria-current": below2 ? void 0 : "true", children: t8("searchAll") }),
    /* @__PURE__ */ a4("a", { href: addressOf(q2, { below: folder3 }), "aria-current": below2 ? "true" : void 0, children: data ? /* @__PURE__ */ a4($, { children: [
      /* @__PURE__ */ a4(Icon, { name: "folder" }),
      " ",
      /* @__PURE__ */ a4(Name, { name: data.name })
    ] }) : t8("folder") })
  ] });
}
function SearchField({ q: q2, scope }) {
  const field = T2(null);
  A2(() => {
    if (!q2 && field.current.checkVisibility()) field.current.focus();
  }, []);
  return /* @__PURE__ */ a4("form", { class: "search-here", role: "search", onSubmit: (event) => {
    event.preventDefault();
    const to = field.current.value.trim();
    if (to) go(addressOf(to, scope), { replace: !q2 });
    field.current.blur();
  }, children: [
    /* @__PURE__ */ a4(Icon, { name: "search" }),
    /* @__PURE__ */ a4("input", { ref: field, type: "search", name: "q", "aria-label": t8("search"), placeholder: t8("search"), defaultValue: q2, maxLength: 200, enterKeyHint: "search", autoComplete: "off" })
  ] });
}
function Hits({ q: q2, below: below2 }) {
  const of = `search ${below2 ?? ""} ${q2}`;
  const view = useView(of, "/search");
  const list2 = useListing(of, (cursor, limit, signal) => get("/files/search", { query: { q: q2, under: below2, cursor, limit }, signal }), allChanges(), view.pages);
  const grid = useGrid(of, list2, view);
  const [deeds2, dialogs] = useDeeds(grid, list2, void 0);
  const { items } = list2;
  const shared = { grid, list: list2, deeds: deeds2, label: t8("hitsFor", { q: q2 }), keys: t8("keys") };
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4(Selection, { grid, list: list2, deeds: deeds2 }),
    list2.problem && !list2.more && /* @__PURE__ */ a4(Failed, { problem: list2.problem, retry: list2.reload }),
    items && /* @__PURE__ */ a4("p", { class: "hidden", role: "status", children: list2.total === void 0 ? t8("hitsOpen", { count: items.length }) : t8("hits", { count: items.length }) }),
    !items ? !list2.problem && /* @__PURE__ */ a4(Skeleton, { rows: 6 }) : items.length === 0 ? /* @__PURE__ */ a4(Empty, { icon: "search", title: t8("noHits"), children: /* @__PURE__ */ a4("p", { children: t8("noHitsText") }) }) : layout.value === "tiles" ? /* @__PURE__ */ a4(Tiles, { ...shared, under: (hit, tab) => /* @__PURE__ */ a4(Way, { hit, tab }) }) : /* @__PURE__ */ a4(
      List,
      {
        ...shared,
        name: "hits",
        headings: /* @__PURE__ */ a4($, { children: [
          /* @__PURE__ */ a4("th", { scope: "col", class: "col-name", children: t8("name") }),
          /* @__PURE__ */ a4("th", { scope: "col", class: "col-place", children: t8("place") }),
          /* @__PURE__ */ a4("th", { scope: "col", class: "col-size", children: t8("size") }),
          /* @__PURE__ */ a4("th", { scope: "col", class: "col-modified", children: t8("modified") })
        ] }),
        cells: (hit, tab) => /* @__PURE__ */ a4($, { children: [
          /* @__PURE__ */ a4(NameCell, { entry: hit, tab, onOpen: () => deeds2.open(hit), under: /* @__PURE__ */ a4($, { children: [
            /* @__PURE__ */ a4(Way, { hit, tab }),
            " ",
            /* @__PURE__ */ a4("span", { "aria-hidden": "true", children: brief2(hit) })
          ] }) }),
          /* @__PURE__ */ a4("td", { class: "col-place", children: /* @__PURE__ */ a4(Way, { hit, tab }) }),
          /* @__PURE__ */ a4(SizeAndTime, { entry: hit })
        ] })
      }
    ),
    dialogs
  ] });
}
function Way({ hit, tab }) {
  const way = [t8("files"), ...hit.path.map((step) => step.name)].join(" / ");
  return /* @__PURE__ */ a4("a", { class: "hit-place", tabIndex: tab, href: "/files" + (hit.parent ? "/" + hit.parent : ""), draggable: false, "aria-label": t8("placeOf", { name: hit.name, place: way }), children: /* @__PURE__ */ a4(Name, { name: way }) });
}

// src/file/trash.tsx
function Trash() {
  const view = useView(bin, "/trash");
  const list2 = useListing(bin, (cursor, limit, signal) => get("/trash", { query: { cursor, limit }, signal }), changesOf(bin), view.pages);
  const grid = useGrid(bin, list2, view);
  const [wish, setWish] = d2();
  const close = () => setWish(void 0);
  const back = (entries2) => void restore(entries2, grid.done);
  const both = (entries2) => [
    { icon: "restore", label: t8("restore"), run: () => back(entries2) },
    { icon: "trash", label: t8("deleteForGood"), run: () => setWish(entries2), danger: true }
  ];
  const deeds2 = {
    menu: (entry4) => both([entry4]),
    bar: both,
    key(key3, _4, meant) {
      if (key3 === "Delete") setWish(meant);
      else return false;
      return true;
    }
  };
  const { items } = list2;
  return /* @__PURE__ */ a4("div", { class: "files", children: [
    /* @__PURE__ */ a4("div", { class: "files-head", children: [
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("h1", { children: t8("trash") }),
        /* @__PURE__ */ a4("p", { class: "hint", children: t8("trashText") })
      ] }),
      items && items.length > 0 && /* @__PURE__ */ a4("button", { type: "button", class: "button danger-text", onClick: () => setWish("all"), children: [
        /* @__PURE__ */ a4(Icon, { name: "trash" }),
        " ",
        t8("emptyTrash")
      ] })
    ] }),
    /* @__PURE__ */ a4(Selection, { grid, list: list2, deeds: deeds2 }),
    list2.problem && !list2.more && /* @__PURE__ */ a4(Failed, { problem: list2.problem, retry: list2.reload }),
    !items ? !list2.problem && /* @__PURE__ */ a4(Skeleton, { rows: 6 }) : items.length === 0 ? /* @__PURE__ */ a4(Empty, { icon: "trash", title: t8("trashEmpty"), children: /* @__PURE__ */ a4("p", { children: t8("trashEmptyText") }) }) : /* @__PURE__ */ a4(
      List,
      {
        grid,
        list: list2,
        deeds: deeds2,
        label: t8("trash"),
        keys: t8("trashKeys"),
        name: "trashed",
        headings: /* @__PURE__ */ a4($, { children: [
          /* @__PURE__ */ a4("th", { scope: "col", class: "col-name", children: t8("name") }),
          /* @__PURE__ */ a4("th", { scope: "col", class: "col-place", children: t8("origin") }),
          /* @__PURE__ */ a4("th", { scope: "col", class: "col-left", children: t8("timeLeft") })
        ] }),
        cells: (entry4, tab) => /* @__PURE__ */ a4($, { children: [
          /* @__PURE__ */ a4(NameCell, { entry: entry4, tab, under: /* @__PURE__ */ a4("span", { "aria-hidden": "true", children: [
            originOf(entry4),
            " · ",
            stays(entry4)
          ] }) }),
          /* @__PURE__ */ a4("td", { class: "col-place", children: /* @__PURE__ */ a4(Name, { name: originOf(entry4), read: true }) }),
          /* @__PURE__ */ a4("td", { class: "col-left", children: /* @__PURE__ */ a4(Time, { at: entry4.expires_at ?? entry4.deleted_at, children: stays(entry4) }) })
        ] })
      }
    ),
    wish === "all" ? /* @__PURE__ */ a4(EmptyTrash, { onClose: close, onDone: () => grid.done(items ?? []) }) : wish && /* @__PURE__ */ a4(ForGood, { entries: wish, onClose: close, onDone: grid.done })
  ] });
}
var originOf = ({ origin }) => [t8("files"), ...origin.path].join(" / ");
var day = 864e5;
function stays({ expires_at: until3 }) {
  if (!until3) return t8("staysForEver");
  const left2 = Date.parse(until3) - Date.now();
  return left2 > day ? t8("staysDays", { count: Math.round(left2 / day) }) : left2 > day / 24 ? t8("staysHours", { count: Math.round(24 * left2 / day) }) : t8("staysLittle");
}

// src/file/usage.ts
var usage = y3(void 0);
var pause2 = 1e3;
var soon = 100;
var last2 = -pause2;
var took = 0;
var reading = 0;
var timer;
function later() {
  timer ??= setTimeout(() => {
    timer = void 0;
    last2 = performance.now();
    const mine2 = ++reading;
    get("/files/usage").then((u4) => {
      took = performance.now() - last2;
      if (mine2 === reading) usage.value = u4;
    }).catch(() => void 0);
  }, Math.max(soon, last2 + Math.max(pause2, 10 * took) - performance.now()));
}
function startUsage() {
  onChange("trash", later);
  x2(() => {
    if (auth.value.is === "in") return f3(later);
    clearTimeout(timer);
    timer = void 0;
    last2 = -pause2;
    took = 0;
    reading++;
    usage.value = void 0;
  });
  x2(() => {
    void changes.value;
    if (f3(() => auth.value.is === "in")) later();
  });
}

// src/file/storage.tsx
var nearlyFull = 0.9;
var share2 = (part, whole7) => whole7 > 0 ? Math.min(1, part / whole7) : 0;
function SideMeter() {
  const now = usage.value;
  if (!now) return null;
  const quota = now.quota_bytes ?? 0;
  const used = now.bytes + now.reserved;
  return /* @__PURE__ */ a4("a", { class: "meter", href: "/storage", "aria-current": path.value === "/storage" ? "page" : void 0, children: [
    /* @__PURE__ */ a4("span", { children: t8("storage") }),
    quota > 0 && /* @__PURE__ */ a4("progress", { class: share2(used, quota) >= nearlyFull ? "full" : void 0, value: Math.min(used, quota), max: quota, "aria-label": t8("storageUsed") }),
    /* @__PURE__ */ a4("span", { class: "hint", children: quota > 0 ? t8("usedOf", { used: size(used), whole: size(quota) }) : t8("used", { used: size(used) }) })
  ] });
}
function Storage() {
  const all2 = useLoad(async (signal) => {
    const [now, open2] = await Promise.all([get("/files/usage", { signal }), get("/uploads", { signal })]);
    usage.value = now;
    return { now, open: open2.items };
  }, []);
  const seen = changes.value;
  const ended2 = uploads.value.map((u4) => u4.state.value).join();
  A2(() => void all2.reload(), [seen, ended2]);
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4("div", { class: "storage-head", children: [
      /* @__PURE__ */ a4("h1", { children: t8("storage") }),
      /* @__PURE__ */ a4("p", { class: "hint", children: t8("storageText") })
    ] }),
    all2.problem ? /* @__PURE__ */ a4(Failed, { problem: all2.problem, retry: all2.reload }) : !all2.data ? /* @__PURE__ */ a4(Skeleton, { rows: 5 }) : /* @__PURE__ */ a4($, { children: [
      /* @__PURE__ */ a4(Whole, { now: all2.data.now, open: all2.data.open }),
      all2.data.open.length > 0 && /* @__PURE__ */ a4(Open, { list: all2.data.open, reload: all2.reload }),
      all2.data.now.largest.length > 0 && /* @__PURE__ */ a4(Largest, { list: all2.data.now.largest })
    ] })
  ] });
}
function Whole({ now, open: open2 }) {
  const quota = now.quota_bytes ?? 0;
  const used = now.bytes + now.reserved;
  const files = Math.max(0, now.bytes - now.trash.bytes - now.versions.bytes);
  const full = share2(used, quota) >= nearlyFull;
  const parts = [
    { kind: "files", name: t8("storageFiles"), bytes: files, count: now.files, text: t8("storageFilesText", { count: Math.max(0, now.files - now.trash.files - now.versions.files - open2.length) }), href: "/files" },
    { kind: "versions", name: t8("storageVersions"), bytes: now.versions.bytes, count: now.versions.files, text: t8("storageVersionsText", { count: now.versions.files }) },
    { kind: "trash", name: t8("storageTrash"), bytes: now.trash.bytes, count: now.trash.files, text: t8("storageTrashText", { count: now.trash.files }), href: "/trash" },
    { kind: "open", name: t8("storageOpen"), bytes: now.reserved, count: open2.length, text: t8("storageOpenText", { count: open2.length }) }
  ];
  const shown2 = parts.filter((part) => part.kind === "files" || part.bytes > 0 || part.count > 0);
  const sum = parts.reduce((n3, part) => n3 + part.bytes, 0);
  const whole7 = Math.max(quota, sum, 1);
  let at = 0;
  return /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": "storage-used", children: [
    /* @__PURE__ */ a4("h2", { id: "storage-used", children: [
      quota > 0 ? t8("usedOf", { used: size(used), whole: size(quota) }) : t8("used", { used: size(used) }),
      quota > 0 && /* @__PURE__ */ a4("span", { class: "hint", children: [
        " · ",
        percent(used, quota)
      ] })
    ] }),
    full && /* @__PURE__ */ a4("p", { class: "error", children: used >= quota ? t8("storageFull") : t8("storageNearlyFull") }),
    quota === 0 && /* @__PURE__ */ a4("p", { class: "hint", children: t8("storageNoLimit") }),
    /* @__PURE__ */ a4("svg", { class: "storage-bar", viewBox: "0 0 100 1", preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false", children: parts.map((part) => {
      const x3 = at;
      at += 100 * part.bytes / whole7;
      return part.bytes > 0 && /* @__PURE__ */ a4("rect", { class: "part-" + part.kind, x: x3, y: "0", width: 100 * part.bytes / whole7, height: "1" }, part.kind);
    }) }),
    /* @__PURE__ */ a4("ul", { class: "storage-parts", children: shown2.map((part) => /* @__PURE__ */ a4("li", { children: [
      /* @__PURE__ */ a4("span", { class: "dot part-" + part.kind, "aria-hidden": "true" }),
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("p", { children: part.href ? /* @__PURE__ */ a4("a", { href: part.href, children: part.name }) : part.name }),
        /* @__PURE__ */ a4("p", { class: "hint", children: part.text })
      ] }),
      /* @__PURE__ */ a4("span", { class: "number", children: size(part.bytes) })
    ] }, part.kind)) }),
    now.quota_files != null && now.quota_files > 0 && /* @__PURE__ */ a4("p", { class: "hint", children: t8("filesOf", { count: now.files, whole: now.quota_files }) }),
    /* @__PURE__ */ a4("p", { class: "hint", children: t8("storageShared") })
  ] });
}
function Open({ list: list2, reload }) {
  const mine2 = (id) => uploads.value.find((u4) => u4.key === id);
  async function discard3(id) {
    const u4 = mine2(id);
    if (u4) uploads.value = uploads.peek().filter((o5) => o5 !== u4);
    await (u4 ? giveUp(u4) : end(id));
    await reload();
  }
  return /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": "storage-open", children: [
    /* @__PURE__ */ a4("h2", { id: "storage-open", children: t8("storageOpen") }),
    /* @__PURE__ */ a4("p", { class: "hint", children: t8("storageOpenHow") }),
    /* @__PURE__ */ a4("ul", { class: "storage-list", children: list2.map((one) => /* @__PURE__ */ a4("li", { children: [
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("p", { class: "upload-name", children: /* @__PURE__ */ a4(Name, { name: one.name, read: true }) }),
        /* @__PURE__ */ a4("p", { class: "hint", children: [
          one.size == null ? size(one.offset) : t8("sentOf", { sent: size(one.offset), size: size(one.size) }),
          ["sending", "waiting"].includes(mine2(one.id)?.state.value ?? "") ? t8("state_sending") : t8("goesOn", { time: date(one.expires_at) })
        ].join(" · ") })
      ] }),
      !["sending", "waiting"].includes(mine2(one.id)?.state.value ?? "") && /* @__PURE__ */ a4("button", { type: "button", class: "button", "aria-label": t8("discardOf", { name: one.name }), onClick: () => void askDiscard(one.name, () => discard3(one.id)), children: t8("discard") })
    ] }, one.id)) })
  ] });
}
function Largest({ list: list2 }) {
  return /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": "storage-largest", children: [
    /* @__PURE__ */ a4("h2", { id: "storage-largest", children: t8("largest") }),
    /* @__PURE__ */ a4("ul", { class: "storage-list", children: list2.map((file3) => /* @__PURE__ */ a4("li", { children: [
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("a", { class: "upload-name", href: "/files" + (file3.parent ? "/" + file3.parent : ""), "aria-label": t8("showIn", { name: file3.name, folder: file3.path.at(-1)?.name ?? t8("files") }), children: /* @__PURE__ */ a4(Name, { name: file3.name }) }),
        /* @__PURE__ */ a4("p", { class: "hint ellipsis", children: [
          [t8("files"), ...file3.path.map((step) => step.name)].join(" / "),
          " · ",
          ago(file3.modified_at)
        ] })
      ] }),
      /* @__PURE__ */ a4("span", { class: "number", children: size(file3.size) })
    ] }, file3.id)) })
  ] });
}

// src/file/room.ts
var file = {
  routes: [
    { path: "/files", page: Files, title: () => t8("files"), wide: true },
    { path: "/files/:folder", page: Files, title: () => t8("files"), wide: true },
    { path: "/search", page: Search2, title: () => t8("search"), wide: true },
    { path: "/trash", page: Trash, title: () => t8("trash"), wide: true },
    { path: "/storage", page: Storage, title: () => t8("storage") }
  ],
  places: [{ href: "/files", icon: "folder", label: () => t8("files"), order: 1, phone: "bar" }, { href: "/trash", icon: "trash", label: () => t8("trash"), order: 5, phone: "more" }],
  menu: [{ icon: "storage", label: () => t8("storage"), href: "/storage", order: 3 }],
  search: { href: "/search", label: () => t8("search"), order: 1, from: searchFrom },
  create: [
    { icon: "upload", label: () => t8("uploadFiles"), order: 1, run: chooseFiles },
    { icon: "folder", label: () => t8("uploadFolder"), order: 2, run: chooseFolder },
    { icon: "folderPlus", label: () => t8("newFolder"), order: 3, run: newFolder }
  ],
  points: [
    { icon: "shield", title: () => t8("pointSealed"), text: () => t8("pointSealedText"), order: 1 },
    { icon: "folder", title: () => t8("pointSimple"), text: () => t8("pointSimpleText"), order: 3 }
  ],
  folders: { Choose, shown, href: (id) => "/files" + (id && "/" + id) },
  loss: { Line: FilesGo, order: 4 },
  problems: problems5,
  remedies: { quota_exceeded: { href: "/storage", label: () => t8("toStorage") } },
  Side: SideMeter,
  Floating: Uploads,
  start: () => {
    startUploads();
    startListings();
    startThumbnails();
    startUsage();
    onChange("files", refreshFolder);
    onChange("shares", () => refreshFolder());
    onChange("trash", () => refreshFolder(bin));
  }
};

// src/shell/pages.ts
function usePages(read7, changes3) {
  const [held4, setHeld] = d2();
  const [problem2, setProblem] = d2();
  const [busy3, setBusy] = d2(false);
  const latest = T2(void 0);
  const running7 = T2(void 0);
  async function run2(before2, from, wanted4) {
    running7.current?.abort();
    const { signal } = running7.current = new AbortController();
    setBusy(true);
    try {
      const items = [...before2];
      let next = from;
      do {
        const page2 = await read7(next, signal);
        items.push(...page2.items);
        next = page2.next_cursor || void 0;
        if (signal.aborted) return;
      } while (next && items.length < wanted4);
      latest.current = { items, next_cursor: next };
      setHeld(latest.current);
      setProblem(void 0);
    } catch (err2) {
      if (!signal.aborted) setProblem(asProblem(err2));
    } finally {
      if (!signal.aborted) setBusy(false);
    }
  }
  const reload = () => run2([], void 0, latest.current?.items.length ?? 1);
  A2(() => {
    void reload();
    return () => running7.current?.abort();
  }, [changes3]);
  return {
    items: held4?.items,
    problem: problem2,
    busy: busy3,
    reload,
    more: held4?.next_cursor ? () => void run2(held4.items, held4.next_cursor, held4.items.length + 1) : void 0
  };
}

// src/guard/words.ts
var t9 = catalog({
  en: {
    history: "History",
    historyText: "Every sign-in to your account, every failed try, and every change to how it is protected.",
    historyFile: "coffer-history.csv",
    save: "Download",
    show: "Show",
    show_all: "Everything",
    show_ok: "What succeeded",
    show_failed: "What failed",
    show_noticed: "Warnings",
    none: "Nothing here",
    none_all: "Your next sign-in is the first that stands here.",
    none_ok: "No sign-in is kept.",
    none_failed: "No try to sign in to your account has failed.",
    none_noticed: "The server found nothing unusual.",
    all: "All history",
    more: "Show more",
    kept: "Older lines are deleted by themselves.",
    here: "This device",
    unknown: "Unknown device",
    other: "A change of your account",
    held: "Sign-in waited for a link by mail",
    wrong: "A sign-in failed",
    wrong_password: "Sign-in failed: wrong password",
    wrong_totp: "Sign-in failed: wrong code of the authenticator app",
    wrong_email_otp: "Sign-in failed: wrong mailed code",
    wrong_sms: "Sign-in failed: wrong code by text message",
    wrong_security_question: "Sign-in failed: wrong answer to the security question",
    wrong_passkey: "Sign-in failed: the passkey was refused",
    wrong_backup_code: "Recovery failed: wrong backup code",
    wrong_social: "Sign-in failed: the connected account was refused",
    by_pwd: "password",
    by_otp: "code",
    by_sms: "text message",
    by_kba: "security question",
    by_hwk: "passkey",
    by_swk: "passkey",
    by_fed: "connected account",
    newPlace: "New place: {place}.",
    newPlaceAndDevice: "New place: {place}, from a device you have not used.",
    flag_new_device: "From a device you have not used.",
    flag_new_place: "From a new place.",
    flag_impossible_travel: "Too far from the last sign-in to travel in that time.",
    flag_odd_hour: "At an hour at which you seldom sign in.",
    flag_after_failures: "After several failed tries.",
    flag_spraying: "From a network that tries passwords on many accounts.",
    flag_stuffing: "From a network that tries stolen passwords on many accounts.",
    did_tell: "We told you by mail.",
    did_ask_all: "We asked for every sign-in step.",
    did_hold: "It had to be confirmed by mail.",
    did_block: "We blocked the network.",
    notMine: "Not me",
    notMineLabel: "This was not me: {device}, {when}",
    notMineTitle: "Secure your account?",
    notMineText: "Every device but this one is signed out at once. After that, choose a new password: a stranger who signed in may know the present one.",
    notMineDo: "Sign out all others",
    notMineDone: "All other devices are signed out. Now choose a new password.",
    unlock: "Sign in from this device",
    unlockText: "Many wrong passwords were tried on your account, so new devices have to wait. With this link, this device need not.",
    unlockDo: "Unlock",
    unlockNot: "You did not try to sign in? Then someone may be guessing.",
    unlocked: "This device may sign in",
    unlockedText: "Sign in with your password now.",
    unlockGone: "It was used already or has expired. Sign in again: if new devices still have to wait, you get another link.",
    unlockDamaged: "A part of the address is missing. Copy the whole link from the mail."
  },
  de: {
    history: "Verlauf",
    historyText: "Jede Anmeldung in Ihrem Konto, jeder Fehlversuch und jede Änderung an seinem Schutz.",
    historyFile: "coffer-verlauf.csv",
    save: "Herunterladen",
    show: "Anzeigen",
    show_all: "Alles",
    show_ok: "Was gelang",
    show_failed: "Was misslang",
    show_noticed: "Warnungen",
    none: "Nichts vorhanden",
    none_all: "Ihre nächste Anmeldung ist die erste, die hier steht.",
    none_ok: "Keine Anmeldung ist aufbewahrt.",
    none_failed: "Kein Versuch, sich in Ihrem Konto anzumelden, ist misslungen.",
    none_noticed: "Der Server hat nichts Ungewöhnliches gefunden.",
    all: "Ganzer Verlauf",
    more: "Mehr anzeigen",
    kept: "Ältere Zeilen werden von selbst gelöscht.",
    here: "Dieses Gerät",
    unknown: "Unbekanntes Gerät",
    other: "Eine Änderung Ihres Kontos",
    held: "Anmeldung wartete auf einen Link per Mail",
    wrong: "Eine Anmeldung ist fehlgeschlagen",
    wrong_password: "Anmeldung fehlgeschlagen: falsches Passwort",
    wrong_totp: "Anmeldung fehlgeschlagen: falscher Code der Authenticator-App",
    wrong_email_otp: "Anmeldung fehlgeschlagen: falscher Code aus der Mail",
    wrong_sms: "Anmeldung fehlgeschlagen: falscher Code aus der SMS",
    wrong_security_question: "Anmeldung fehlgeschlagen: falsche Antwort auf die Sicherheitsfrage",
    wrong_passkey: "Anmeldung fehlgeschlagen: Passkey abgelehnt",
    wrong_backup_code: "Wiederherstellung fehlgeschlagen: falscher Backup-Code",
    wrong_social: "Anmeldung fehlgeschlagen: verknüpftes Konto abgelehnt",
    by_pwd: "Passwort",
    by_otp: "Code",
    by_sms: "SMS",
    by_kba: "Sicherheitsfrage",
    by_hwk: "Passkey",
    by_swk: "Passkey",
    by_fed: "verknüpftes Konto",
    newPlace: "Neuer Ort: {place}.",
    newPlaceAndDevice: "Neuer Ort: {place}, mit einem Gerät, das Sie noch nicht benutzt haben.",
    flag_new_device: "Mit einem Gerät, das Sie noch nicht benutzt haben.",
    flag_new_place: "Von einem neuen Ort.",
    flag_impossible_travel: "Zu weit von der letzten Anmeldung entfernt, um in dieser Zeit dorthin zu reisen.",
    flag_odd_hour: "Zu einer Stunde, zu der Sie sich selten anmelden.",
    flag_after_failures: "Nach mehreren Fehlversuchen.",
    flag_spraying: "Aus einem Netz, das Passwörter bei vielen Konten probiert.",
    flag_stuffing: "Aus einem Netz, das gestohlene Passwörter bei vielen Konten probiert.",
    did_tell: "Wir haben Ihnen eine Mail geschickt.",
    did_ask_all: "Wir haben alle Anmeldeschritte verlangt.",
    did_hold: "Sie musste per Mail bestätigt werden.",
    did_block: "Wir haben das Netz gesperrt.",
    notMine: "Das war ich nicht",
    notMineLabel: "Das war ich nicht: {device}, {when}",
    notMineTitle: "Konto sichern?",
    notMineText: "Alle Geräte außer diesem werden sofort abgemeldet. Wählen Sie danach ein neues Passwort: Wer sich fremd angemeldet hat, kennt vielleicht das jetzige.",
    notMineDo: "Alle anderen abmelden",
    notMineDone: "Alle anderen Geräte sind abgemeldet. Wählen Sie jetzt ein neues Passwort.",
    unlock: "Von diesem Gerät anmelden",
    unlockText: "An Ihrem Konto wurden viele falsche Passwörter probiert, deshalb müssen neue Geräte warten. Mit diesem Link muss dieses Gerät es nicht.",
    unlockDo: "Entsperren",
    unlockNot: "Sie wollten sich gar nicht anmelden? Dann rät vielleicht jemand.",
    unlocked: "Dieses Gerät darf sich anmelden",
    unlockedText: "Melden Sie sich jetzt mit Ihrem Passwort an.",
    unlockGone: "Er wurde schon benutzt oder ist abgelaufen. Melden Sie sich noch einmal an: Müssen neue Geräte noch warten, bekommen Sie einen weiteren Link.",
    unlockDamaged: "Ein Teil der Adresse fehlt. Kopieren Sie den ganzen Link aus der Mail."
  }
});
var kinds2 = catalog({
  en: {
    "signed-in": "Signed in",
    "sign-in-held": "Sign-in waited for a link by mail",
    "stepped-up": "Confirmed it was you",
    "session-ended": "Signed a device out",
    "device-ended": "Signed a device out by the link in a mail",
    "device-confirmed": "Confirmed a new device",
    "security-alert": "You were told of an unusual sign-in",
    "refresh-reuse": "A copied session was ended",
    "sign-up-exists": "Someone tried to sign up with your address",
    "account-deactivated": "Account deactivated",
    "account-activated": "Account activated",
    "always-ask-off": "Remembered devices skip steps again",
    "change-email-notice": "A change of your address was asked for",
    "change-email-exists": "Someone tried to take your address",
    "email-changed": "Address changed",
    "email-restored": "Change of the address undone",
    "password-changed": "Password changed",
    "password-set": "Password set",
    "password-reset": "Password set anew by mail",
    "totp-enabled": "Authenticator app turned on",
    "totp-disabled": "Authenticator app turned off",
    "totp-locked": "Authenticator app locked after wrong codes",
    "sms-enabled": "Codes by text message turned on",
    "sms-changed": "Telephone number changed",
    "sms-disabled": "Codes by text message turned off",
    "email-otp-enabled": "Mailed codes turned on",
    "email-otp-disabled": "Mailed codes turned off",
    "security-question-enabled": "Security question turned on",
    "security-question-changed": "Security question changed",
    "security-question-disabled": "Security question turned off",
    "passkey-added": "Passkey added",
    "passkey-removed": "Passkey removed",
    "passkey-cloned": "A copied passkey was refused",
    "identity-linked": "Account connected",
    "identity-unlinked": "Connected account removed",
    "backup-codes-enabled": "Backup codes turned on",
    "backup-codes-regenerated": "Backup codes made anew",
    "backup-codes-disabled": "Backup codes turned off",
    "trusted-email-asked": "A trusted address was named",
    "trusted-email-set": "Trusted address set",
    "trusted-email-dropped": "Trusted address removed",
    "recovery-used": "Account recovered",
    "recovery-stopped": "Recovery stopped",
    unlock: "New devices were made to wait",
    unlocked: "A new device was let in by mail"
  },
  de: {
    "signed-in": "Angemeldet",
    "sign-in-held": "Anmeldung wartete auf einen Link per Mail",
    "stepped-up": "Bestätigt, dass Sie es sind",
    "session-ended": "Gerät abgemeldet",
    "device-ended": "Gerät über den Link einer Mail abgemeldet",
    "device-confirmed": "Neues Gerät bestätigt",
    "security-alert": "Hinweis auf eine ungewöhnliche Anmeldung",
    "refresh-reuse": "Kopierte Sitzung beendet",
    "sign-up-exists": "Jemand wollte sich mit Ihrer Adresse registrieren",
    "account-deactivated": "Konto deaktiviert",
    "account-activated": "Konto aktiviert",
    "always-ask-off": "Gemerkte Geräte überspringen wieder Schritte",
    "change-email-notice": "Eine Änderung Ihrer Adresse wurde verlangt",
    "change-email-exists": "Jemand wollte Ihre Adresse übernehmen",
    "email-changed": "Adresse geändert",
    "email-restored": "Änderung der Adresse rückgängig gemacht",
    "password-changed": "Passwort geändert",
    "password-set": "Passwort gesetzt",
    "password-reset": "Passwort per Mail neu gesetzt",
    "totp-enabled": "Authenticator-App eingeschaltet",
    "totp-disabled": "Authenticator-App ausgeschaltet",
    "totp-locked": "Authenticator-App nach falschen Codes gesperrt",
    "sms-enabled": "Codes per SMS eingeschaltet",
    "sms-changed": "Telefonnummer geändert",
    "sms-disabled": "Codes per SMS ausgeschaltet",
    "email-otp-enabled": "Codes per Mail eingeschaltet",
    "email-otp-disabled": "Codes per Mail ausgeschaltet",
    "security-question-enabled": "Sicherheitsfrage eingeschaltet",
    "security-question-changed": "Sicherheitsfrage geändert",
    "security-question-disabled": "Sicherheitsfrage ausgeschaltet",
    "passkey-added": "Passkey hinzugefügt",
    "passkey-removed": "Passkey entfernt",
    "passkey-cloned": "Kopierter Passkey abgelehnt",
    "identity-linked": "Konto verknüpft",
    "identity-unlinked": "Verknüpftes Konto entfernt",
    "backup-codes-enabled": "Backup-Codes eingeschaltet",
    "backup-codes-regenerated": "Backup-Codes neu erstellt",
    "backup-codes-disabled": "Backup-Codes ausgeschaltet",
    "trusted-email-asked": "Eine vertraute Adresse wurde genannt",
    "trusted-email-set": "Vertraute Adresse gesetzt",
    "trusted-email-dropped": "Vertraute Adresse entfernt",
    "recovery-used": "Konto wiederhergestellt",
    "recovery-stopped": "Wiederherstellung gestoppt",
    unlock: "Neue Geräte mussten warten",
    unlocked: "Ein neues Gerät wurde per Mail zugelassen"
  }
});
var problems6 = catalog({
  en: {
    sign_in_held: "Many wrong passwords were tried on this account. We sent a link to its address, if there is such an account. Open it, then sign in again."
  },
  de: {
    sign_in_held: "An diesem Konto wurden viele falsche Passwörter probiert. Wir haben einen Link an seine Adresse geschickt, falls es das Konto gibt. Öffnen Sie ihn und melden Sie sich dann noch einmal an."
  }
});

// src/guard/happening.ts
function told2({ kind, methods: methods2, outcome }) {
  if (kind === "sign-in-failed") return t9.find(`wrong_${methods2[0]}`) ?? t9("wrong");
  if (outcome === "held") return t9("held");
  return kinds2.find(kind) ?? t9("other");
}
function how({ kind, methods: methods2 }) {
  if (kind !== "signed-in" && kind !== "stepped-up") return "";
  return [...new Set(methods2.flatMap((m5) => t9.find(`by_${m5}`) ?? []))].join(" + ");
}
function reasons({ flags, place: place3 }) {
  const left2 = new Set(flags);
  const said = [];
  if (left2.has("new_place") && place3) {
    said.push(t9(left2.delete("new_device") ? "newPlaceAndDevice" : "newPlace", { place: place3 }));
    left2.delete("new_place");
  }
  for (const flag of left2) said.push(...t9.find(`flag_${flag}`) ? [t9.find(`flag_${flag}`)] : []);
  return said;
}
function consequences({ findings }) {
  return [...new Set(findings.flatMap(({ consequence }) => t9.find(`did_${consequence}`) ?? []))];
}
function iconOf3({ kind, outcome, flags }) {
  if (outcome === "failed" || outcome === "held" || flags.length > 0) return "warning";
  if (kind === "signed-in") return "device";
  if (kind === "session-ended") return "signOut";
  return kind === "stepped-up" ? "check" : "shield";
}
var doubtful = ({ kind, outcome, here: here2 }) => kind === "signed-in" && outcome === "ok" && !here2;
function byDay(items) {
  const days = [];
  for (const item of items) {
    const last3 = days.at(-1);
    if (last3 && dayOf(last3[0]) === dayOf(item)) last3.push(item);
    else days.push([item]);
  }
  return days;
}
var dayOf = ({ at }) => new Date(at).toDateString();

// src/guard/history.tsx
var filters = ["all", "ok", "failed", "noticed"];
function History() {
  const [filter, setFilter] = d2("all");
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4("div", { class: "card-head", children: [
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("h1", { children: t9("history") }),
        /* @__PURE__ */ a4("p", { class: "hint", children: t9("historyText") })
      ] }),
      /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => saveStream({
        name: () => t9("historyFile"),
        file: () => t9("historyFile"),
        open: (signal) => stream("/account/sign-ins/export", { signal })
      }), children: [
        /* @__PURE__ */ a4(Icon, { name: "download" }),
        " ",
        t9("save")
      ] })
    ] }),
    /* @__PURE__ */ a4("div", { class: "field guard-filter", children: [
      /* @__PURE__ */ a4("label", { for: "guard-filter", children: t9("show") }),
      /* @__PURE__ */ a4("select", { id: "guard-filter", value: filter, onChange: (event) => setFilter(event.currentTarget.value), children: filters.map((f5) => /* @__PURE__ */ a4("option", { value: f5, children: t9(`show_${f5}`) }, f5)) })
    ] }),
    /* @__PURE__ */ a4(List2, { filter }, filter)
  ] });
}
function List2({ filter }) {
  const outcome = filter === "all" ? void 0 : filter;
  const list2 = usePages((cursor, signal) => get("/account/sign-ins", { query: { outcome, cursor, limit: 50 }, signal }), 0);
  return /* @__PURE__ */ a4($, { children: [
    list2.problem && /* @__PURE__ */ a4(Failed, { problem: list2.problem, retry: list2.reload }),
    !list2.items ? !list2.problem && /* @__PURE__ */ a4(Skeleton, { rows: 5 }) : list2.items.length === 0 ? /* @__PURE__ */ a4(Empty, { icon: "history", title: t9("none"), children: /* @__PURE__ */ a4("p", { children: t9(`none_${filter}`) }) }) : byDay(list2.items).map((day3) => /* @__PURE__ */ a4("section", { class: "card guard-day", "aria-label": date(day3[0].at), children: [
      /* @__PURE__ */ a4("h2", { children: date(day3[0].at) }),
      /* @__PURE__ */ a4("ul", { children: day3.map((item) => /* @__PURE__ */ a4(Line, { item }, item.id)) })
    ] }, day3[0].at)),
    list2.more && /* @__PURE__ */ a4("div", { class: "guard-next", children: /* @__PURE__ */ a4("button", { type: "button", class: "button", "aria-disabled": list2.busy, onClick: list2.more, children: t9("more") }) }),
    list2.items && list2.items.length > 0 && !list2.more && /* @__PURE__ */ a4("p", { class: "hint", children: t9("kept") })
  ] });
}
function Latest() {
  const { data, problem: problem2, reload } = useLoad((signal) => get("/account/sign-ins", { query: { limit: 3 }, signal }), []);
  return /* @__PURE__ */ a4("section", { class: "card guard-day", "aria-labelledby": "history", children: [
    /* @__PURE__ */ a4("div", { class: "card-head", children: /* @__PURE__ */ a4("div", { children: [
      /* @__PURE__ */ a4("h2", { id: "history", children: t9("history") }),
      /* @__PURE__ */ a4("p", { class: "hint", children: t9("historyText") })
    ] }) }),
    problem2 ? /* @__PURE__ */ a4(Failed, { problem: problem2, retry: reload }) : !data ? /* @__PURE__ */ a4(Skeleton, { rows: 3 }) : /* @__PURE__ */ a4($, { children: [
      /* @__PURE__ */ a4("ul", { children: data.items.map((item) => /* @__PURE__ */ a4(Line, { item, dated: true }, item.id)) }),
      /* @__PURE__ */ a4("p", { children: /* @__PURE__ */ a4("a", { href: "/security/history", children: t9("all") }) })
    ] })
  ] });
}
function Line({ item, dated }) {
  const why3 = [...reasons(item), ...consequences(item)];
  const traits3 = [item.device, how(item), item.place, item.address].filter(Boolean);
  return /* @__PURE__ */ a4("li", { class: item.outcome === "failed" || item.outcome === "held" || item.flags.length > 0 ? "guard-line odd" : "guard-line", children: [
    /* @__PURE__ */ a4(Icon, { name: iconOf3(item) }),
    /* @__PURE__ */ a4("div", { children: [
      /* @__PURE__ */ a4("p", { class: "guard-told", children: [
        /* @__PURE__ */ a4("strong", { children: told2(item) }),
        " ",
        item.here && !dated && /* @__PURE__ */ a4("span", { class: "tag", children: t9("here") })
      ] }),
      why3.length > 0 && /* @__PURE__ */ a4("p", { class: "guard-why", children: why3.join(" ") }),
      /* @__PURE__ */ a4("p", { class: "hint", children: [
        traits3.map((trait) => `${trait} · `),
        /* @__PURE__ */ a4(Time, { at: item.at, children: dated ? ago(item.at) : clock(item.at) })
      ] })
    ] }),
    doubtful(item) && /* @__PURE__ */ a4("button", { type: "button", class: "button", "aria-label": t9("notMineLabel", { device: item.device || t9("unknown"), when: ago(item.at) }), onClick: () => void disown(item), children: t9("notMine") })
  ] });
}
function disown(item) {
  return ask((close) => /* @__PURE__ */ a4(Confirm, { title: t9("notMineTitle"), action: t9("notMineDo"), onClose: close, onConfirm: async () => {
    await del("/sessions");
    go("/security");
    toast(t9("notMineDone"));
  }, children: [
    /* @__PURE__ */ a4("p", { children: [
      told2(item),
      ": ",
      [item.device || t9("unknown"), item.place, item.address].filter(Boolean).join(", "),
      "."
    ] }),
    /* @__PURE__ */ a4("p", { children: t9("notMineText") })
  ] }));
}

// src/guard/unlock.tsx
function Unlock() {
  const link = useOneTime("/auth/unlock/check");
  const [done, setDone] = d2(false);
  A2(() => {
    if (done) focusMain();
  }, [done]);
  if (done) {
    return /* @__PURE__ */ a4("div", { class: "card narrow centre", children: [
      /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "check" }) }),
      /* @__PURE__ */ a4("h1", { children: t9("unlocked") }),
      /* @__PURE__ */ a4("p", { children: t9("unlockedText") }),
      /* @__PURE__ */ a4("div", { class: "form-actions", children: [
        /* @__PURE__ */ a4(SignInLink, { class: "button primary" }),
        /* @__PURE__ */ a4(NewPasswordLink, { class: "button" })
      ] })
    ] });
  }
  if (link.dead || !link.token) {
    return /* @__PURE__ */ a4(DeadLink, { dead: link.dead ?? "damaged", gone: t9("unlockGone"), damaged: t9("unlockDamaged"), icon: "key", children: /* @__PURE__ */ a4("div", { class: "form-actions", children: [
      /* @__PURE__ */ a4(SignInLink, { class: "button primary" }),
      /* @__PURE__ */ a4(NewPasswordLink, { class: "button" })
    ] }) });
  }
  return /* @__PURE__ */ a4("div", { class: "card narrow centre", children: [
    /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "key" }) }),
    /* @__PURE__ */ a4("h1", { children: t9("unlock") }),
    /* @__PURE__ */ a4("p", { children: t9("unlockText") }),
    /* @__PURE__ */ a4(Form, { submit: t9("unlockDo"), onSubmit: async () => {
      if (await link.use((token2) => post("/auth/unlock", { open: true, body: { token: token2 } }))) setDone(true);
    }, children: null }),
    /* @__PURE__ */ a4("p", { class: "aside", children: [
      t9("unlockNot"),
      " ",
      /* @__PURE__ */ a4(NewPasswordLink, {})
    ] })
  ] });
}

// src/guard/room.ts
var guard2 = {
  routes: [
    { path: "/security/history", page: History, title: () => t9("history") },
    { path: "/unlock", page: Unlock, title: () => t9("unlock"), open: true }
  ],
  security: { Section: Latest, order: 10 },
  problems: problems6
};

// src/mailcode/words.ts
var t10 = catalog({
  en: {
    step: "Code by e-mail",
    code: "Code from the e-mail",
    sentTo: "We sent six digits to {address}. If nothing comes within a minute, look into the spam folder.",
    sent: "We sent you six digits. If nothing comes within a minute, look into the spam folder.",
    go: "Continue",
    title: "Codes by e-mail",
    offText: "When you sign in on a new device, we send a code to {address} and ask for it. This stops somebody who has only your password, but nobody who can read your mail.",
    onText: "When you sign in on a new device, we send a code to {address} and ask for it.",
    enable: "Turn on e-mail codes",
    disable: "Turn off e-mail codes",
    enabled: "Codes by e-mail are on.",
    disabled: "Codes by e-mail are off.",
    disableTitle: "Turn off codes by e-mail?",
    disableText: "After that, no sign-in asks for a code from your mailbox. Devices that were remembered are asked for your other steps again.",
    goStep: "Codes by e-mail as a sign-in step"
  },
  de: {
    step: "Code per E-Mail",
    code: "Code aus der E-Mail",
    sentTo: "Wir haben sechs Ziffern an {address} gesendet. Wenn nach einer Minute nichts da ist, sehen Sie im Spam-Ordner nach.",
    sent: "Wir haben Ihnen sechs Ziffern gesendet. Wenn nach einer Minute nichts da ist, sehen Sie im Spam-Ordner nach.",
    go: "Weiter",
    title: "Codes per E-Mail",
    offText: "Wenn Sie sich auf einem neuen Gerät anmelden, senden wir einen Code an {address} und fragen danach. Das hält alle auf, die nur Ihr Passwort haben, aber niemanden, der Ihre E-Mails lesen kann.",
    onText: "Wenn Sie sich auf einem neuen Gerät anmelden, senden wir einen Code an {address} und fragen danach.",
    enable: "E-Mail-Codes einschalten",
    disable: "E-Mail-Codes ausschalten",
    enabled: "Codes per E-Mail sind an.",
    disabled: "Codes per E-Mail sind aus.",
    disableTitle: "Codes per E-Mail ausschalten?",
    disableText: "Danach fragt keine Anmeldung mehr nach einem Code aus Ihrem Postfach. Gemerkte Geräte werden wieder nach Ihren anderen Schritten gefragt.",
    goStep: "Codes per E-Mail als Anmeldeschritt"
  }
});
var problems7 = catalog({
  en: {
    wrong_mailed_code: "That code is not right. Use the one from the newest e-mail: an older code no longer works."
  },
  de: {
    wrong_mailed_code: "Dieser Code stimmt nicht. Nehmen Sie den aus der neuesten E-Mail: Ein älterer gilt nicht mehr."
  }
});

// src/mailcode/section.tsx
function Section({ status }) {
  const [asking, setAsking] = d2(false);
  const [busy3, setBusy] = d2(false);
  const mine2 = me()?.email ?? "";
  async function turnOn() {
    setBusy(true);
    try {
      await post("/account/email-otp");
      toast(t10("enabled"));
      await status.reload();
    } catch (err2) {
      toastProblem(err2);
    } finally {
      setBusy(false);
    }
  }
  return /* @__PURE__ */ a4(
    LayerCard,
    {
      layer: "email_otp",
      title: t10("title"),
      status,
      text: (on, line) => t10(on ? "onText" : "offText", { address: whole5(line?.hint || masked(mine2)) }),
      buttons: (on) => on ? /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => setAsking(true), children: t10("disable") }) : /* @__PURE__ */ a4("button", { type: "button", class: "button", disabled: busy3, onClick: turnOn, children: t10("enable") }),
      children: asking && /* @__PURE__ */ a4(
        TurnOff,
        {
          title: t10("disableTitle"),
          onClose: () => setAsking(false),
          off: (recovery2) => del("/account/email-otp", { query: { recovery: recovery2 } }),
          onOff: async () => {
            toast(t10("disabled"));
            await status.reload();
          },
          children: /* @__PURE__ */ a4("p", { children: t10("disableText") })
        }
      )
    }
  );
}
function StepGoes() {
  const { data } = useLoad((signal) => get("/account/security", { signal }), []);
  return data?.email_otp?.enabled ? /* @__PURE__ */ a4("li", { children: t10("goStep") }) : null;
}
function masked(address3) {
  const at = address3.lastIndexOf("@");
  return at < 0 ? "" : [...address3.slice(0, at)].slice(0, 1).join("") + "…" + address3.slice(at);
}
var whole5 = (address3) => address3.replace("…", "…⁠");

// src/mailcode/step.tsx
function Step({ layer, answer, again: again3 }) {
  return /* @__PURE__ */ a4(
    CodeForm,
    {
      label: t10("code"),
      hint: layer.sent_to ? t10("sentTo", { address: layer.sent_to }) : t10("sent"),
      submit: t10("go"),
      autoFocus: true,
      again: { at: layer.resend_at, send: () => again3("/auth/attempts/{id}/email-otp/resend") },
      onCode: async (code) => {
        try {
          await answer("/auth/attempts/{id}/email-otp", { code });
        } catch (err2) {
          throw err2 instanceof Problem && err2.code === "invalid_code" ? new Problem({ status: err2.status, code: "wrong_mailed_code" }) : err2;
        }
      }
    }
  );
}

// src/mailcode/room.ts
var mailcode = {
  layers: { email_otp: { title: () => t10("step"), order: 2, Step } },
  security: { Section, order: 2 },
  loss: { Line: StepGoes, order: 5 },
  problems: problems7
};

// src/passkey/calm.tsx
function Calm({ children }) {
  return /* @__PURE__ */ a4("div", { class: "calm", role: "status", children: children && /* @__PURE__ */ a4("p", { class: "notice", children: [
    /* @__PURE__ */ a4(Icon, { name: "key" }),
    " ",
    /* @__PURE__ */ a4("span", { children })
  ] }) });
}

// node_modules/@simplewebauthn/browser/esm/helpers/bufferToBase64URLString.js
function bufferToBase64URLString(buffer) {
  const bytes2 = new Uint8Array(buffer);
  let str = "";
  for (const charCode of bytes2) {
    str += String.fromCharCode(charCode);
  }
  const base64String = btoa(str);
  return base64String.replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}

// node_modules/@simplewebauthn/browser/esm/helpers/base64URLStringToBuffer.js
function base64URLStringToBuffer(base64URLString) {
  const base642 = base64URLString.replace(/-/g, "+").replace(/_/g, "/");
  const padLength = (4 - base642.length % 4) % 4;
  const padded = base642.padEnd(base642.length + padLength, "=");
  const binary = atob(padded);
  const buffer = new ArrayBuffer(binary.length);
  const bytes2 = new Uint8Array(buffer);
  for (let i4 = 0; i4 < binary.length; i4++) {
    bytes2[i4] = binary.charCodeAt(i4);
  }
  return buffer;
}

// node_modules/@simplewebauthn/browser/esm/helpers/browserSupportsWebAuthn.js
function browserSupportsWebAuthn() {
  return _browserSupportsWebAuthnInternals.stubThis(globalThis?.PublicKeyCredential !== void 0 && typeof globalThis.PublicKeyCredential === "function");
}
var _browserSupportsWebAuthnInternals = {
  stubThis: (value) => value
};

// node_modules/@simplewebauthn/browser/esm/helpers/toPublicKeyCredentialDescriptor.js
function toPublicKeyCredentialDescriptor(descriptor) {
  const { id } = descriptor;
  return {
    ...descriptor,
    id: base64URLStringToBuffer(id),
    transports: descriptor.transports,
    type: descriptor.type
  };
}

// node_modules/@simplewebauthn/browser/esm/helpers/isValidDomain.js
function isValidDomain(hostname) {
  return (
    // Consider localhost valid as well since it's okay wrt Secure Contexts
    hostname === "localhost" || // Support punycode (ACE) or ascii labels and domains
    /^((xn--[a-z0-9-]+|[a-z0-9]+(-[a-z0-9]+)*)\.)+([a-z]{2,}|xn--[a-z0-9-]+)$/i.test(hostname)
  );
}

// node_modules/@simplewebauthn/browser/esm/helpers/webAuthnError.js
var WebAuthnError = class extends Error {
  constructor({ message, code, cause, name }) {
    super(message, { cause });
    Object.defineProperty(this, "code", {
      enumerable: true,
      configurable: true,
      writable: true,
      value: void 0
    });
    this.name = name ?? cause.name;
    this.code = code;
  }
};

// node_modules/@simplewebauthn/browser/esm/helpers/identifyRegistrationError.js
function identifyRegistrationError({ error, options }) {
  const { publicKey } = options;
  if (!publicKey) {
    throw Error("options was missing required publicKey property");
  }
  if (error.name === "AbortError") {
    if (options.signal instanceof AbortSignal) {
      return new WebAuthnError({
        message: "Registration ceremony was sent an abort signal",
        code: "ERROR_CEREMONY_ABORTED",
        cause: error
      });
    }
  } else if (error.name === "ConstraintError") {
    if (publicKey.authenticatorSelection?.requireResidentKey === true) {
      return new WebAuthnError({
        message: "Discoverable credentials were required but no available authenticator supported it",
        code: "ERROR_AUTHENTICATOR_MISSING_DISCOVERABLE_CREDENTIAL_SUPPORT",
        cause: error
      });
    } else if (
      // @ts-ignore: `mediation` doesn't yet exist on CredentialCreationOptions but it's possible as of Sept 2024
      options.mediation === "conditional" && publicKey.authenticatorSelection?.userVerification === "required"
    ) {
      return new WebAuthnError({
        message: "User verification was required during automatic registration but it could not be performed",
        code: "ERROR_AUTO_REGISTER_USER_VERIFICATION_FAILURE",
        cause: error
      });
    } else if (publicKey.authenticatorSelection?.userVerification === "required") {
      return new WebAuthnError({
        message: "User verification was required but no available authenticator supported it",
        code: "ERROR_AUTHENTICATOR_MISSING_USER_VERIFICATION_SUPPORT",
        cause: error
      });
    }
  } else if (error.name === "InvalidStateError") {
    return new WebAuthnError({
      message: "The authenticator was previously registered",
      code: "ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED",
      cause: error
    });
  } else if (error.name === "NotAllowedError") {
    return new WebAuthnError({
      message: error.message,
      code: "ERROR_PASSTHROUGH_SEE_CAUSE_PROPERTY",
      cause: error
    });
  } else if (error.name === "NotSupportedError") {
    const validPubKeyCredParams = publicKey.pubKeyCredParams.filter((param) => param.type === "public-key");
    if (validPubKeyCredParams.length === 0) {
      return new WebAuthnError({
        message: 'No entry in pubKeyCredParams was of type "public-key"',
        code: "ERROR_MALFORMED_PUBKEYCREDPARAMS",
        cause: error
      });
    }
    return new WebAuthnError({
      message: "No available authenticator supported any of the specified pubKeyCredParams algorithms",
      code: "ERROR_AUTHENTICATOR_NO_SUPPORTED_PUBKEYCREDPARAMS_ALG",
      cause: error
    });
  } else if (error.name === "SecurityError") {
    const effectiveDomain = globalThis.location.hostname;
    if (!isValidDomain(effectiveDomain)) {
      return new WebAuthnError({
        message: `${globalThis.location.hostname} is an invalid domain`,
        code: "ERROR_INVALID_DOMAIN",
        cause: error
      });
    } else if (publicKey.rp.id !== effectiveDomain) {
      return new WebAuthnError({
        message: `The RP ID "${publicKey.rp.id}" is invalid for this domain`,
        code: "ERROR_INVALID_RP_ID",
        cause: error
      });
    }
  } else if (error.name === "TypeError") {
    if (publicKey.user.id.byteLength < 1 || publicKey.user.id.byteLength > 64) {
      return new WebAuthnError({
        message: "User ID was not between 1 and 64 characters",
        code: "ERROR_INVALID_USER_ID_LENGTH",
        cause: error
      });
    }
  } else if (error.name === "UnknownError") {
    return new WebAuthnError({
      message: "The authenticator was unable to process the specified options, or could not create a new credential",
      code: "ERROR_AUTHENTICATOR_GENERAL_ERROR",
      cause: error
    });
  }
  return error;
}

// node_modules/@simplewebauthn/browser/esm/helpers/webAuthnAbortService.js
var BaseWebAuthnAbortService = class {
  constructor() {
    Object.defineProperty(this, "controller", {
      enumerable: true,
      configurable: true,
      writable: true,
      value: void 0
    });
  }
  createNewAbortSignal() {
    if (this.controller) {
      const abortError = new Error("Cancelling existing WebAuthn API call for new one");
      abortError.name = "AbortError";
      this.controller.abort(abortError);
    }
    const newController = new AbortController();
    this.controller = newController;
    return newController.signal;
  }
  cancelCeremony() {
    if (this.controller) {
      const abortError = new Error("Manually cancelling existing WebAuthn API call");
      abortError.name = "AbortError";
      this.controller.abort(abortError);
      this.controller = void 0;
    }
  }
};
var WebAuthnAbortService = new BaseWebAuthnAbortService();

// node_modules/@simplewebauthn/browser/esm/helpers/toAuthenticatorAttachment.js
var attachments = ["cross-platform", "platform"];
function toAuthenticatorAttachment(attachment) {
  if (!attachment) {
    return;
  }
  if (attachments.indexOf(attachment) < 0) {
    return;
  }
  return attachment;
}

// node_modules/@simplewebauthn/browser/esm/methods/startRegistration.js
async function startRegistration(options) {
  if (!options.optionsJSON && options.challenge) {
    console.warn("startRegistration() was not called correctly. It will try to continue with the provided options, but this call should be refactored to use the expected call structure instead. See https://simplewebauthn.dev/docs/packages/browser#typeerror-cannot-read-properties-of-undefined-reading-challenge for more information.");
    options = { optionsJSON: options };
  }
  const { optionsJSON, useAutoRegister = false } = options;
  if (!browserSupportsWebAuthn()) {
    throw new Error("WebAuthn is not supported in this browser");
  }
  const publicKey = {
    ...optionsJSON,
    challenge: base64URLStringToBuffer(optionsJSON.challenge),
    user: {
      ...optionsJSON.user,
      id: base64URLStringToBuffer(optionsJSON.user.id)
    },
    excludeCredentials: optionsJSON.excludeCredentials?.map(toPublicKeyCredentialDescriptor)
  };
  const createOptions = {};
  if (useAutoRegister) {
    createOptions.mediation = "conditional";
  }
  createOptions.publicKey = publicKey;
  createOptions.signal = WebAuthnAbortService.createNewAbortSignal();
  let credential;
  try {
    credential = await navigator.credentials.create(
      // TODO: Newer versions of Deno require this casting, revisit once we're using Deno 2.6+
      createOptions
    );
  } catch (err2) {
    throw identifyRegistrationError({ error: err2, options: createOptions });
  }
  if (!credential) {
    throw new Error("Registration was not completed");
  }
  const { id, rawId, response, type } = credential;
  let transports = void 0;
  if (typeof response.getTransports === "function") {
    transports = response.getTransports();
  }
  let responsePublicKeyAlgorithm = void 0;
  if (typeof response.getPublicKeyAlgorithm === "function") {
    try {
      responsePublicKeyAlgorithm = response.getPublicKeyAlgorithm();
    } catch (error) {
      warnOnBrokenImplementation("getPublicKeyAlgorithm()", error);
    }
  }
  let responsePublicKey = void 0;
  if (typeof response.getPublicKey === "function") {
    try {
      const _publicKey = response.getPublicKey();
      if (_publicKey !== null) {
        responsePublicKey = bufferToBase64URLString(_publicKey);
      }
    } catch (error) {
      warnOnBrokenImplementation("getPublicKey()", error);
    }
  }
  let responseAuthenticatorData;
  if (typeof response.getAuthenticatorData === "function") {
    try {
      responseAuthenticatorData = bufferToBase64URLString(response.getAuthenticatorData());
    } catch (error) {
      warnOnBrokenImplementation("getAuthenticatorData()", error);
    }
  }
  return {
    id,
    rawId: bufferToBase64URLString(rawId),
    response: {
      attestationObject: bufferToBase64URLString(response.attestationObject),
      clientDataJSON: bufferToBase64URLString(response.clientDataJSON),
      transports,
      publicKeyAlgorithm: responsePublicKeyAlgorithm,
      publicKey: responsePublicKey,
      authenticatorData: responseAuthenticatorData
    },
    type,
    clientExtensionResults: credential.getClientExtensionResults(),
    authenticatorAttachment: toAuthenticatorAttachment(credential.authenticatorAttachment)
  };
}
function warnOnBrokenImplementation(methodName, cause) {
  console.warn(`The browser extension that intercepted this WebAuthn API call incorrectly implemented ${methodName}. You should report this error to them.
`, cause);
}

// node_modules/@simplewebauthn/browser/esm/helpers/browserSupportsWebAuthnAutofill.js
function browserSupportsWebAuthnAutofill() {
  if (!browserSupportsWebAuthn()) {
    return _browserSupportsWebAuthnAutofillInternals.stubThis(new Promise((resolve) => resolve(false)));
  }
  const globalPublicKeyCredential = globalThis.PublicKeyCredential;
  if (globalPublicKeyCredential?.isConditionalMediationAvailable === void 0) {
    return _browserSupportsWebAuthnAutofillInternals.stubThis(new Promise((resolve) => resolve(false)));
  }
  return _browserSupportsWebAuthnAutofillInternals.stubThis(globalPublicKeyCredential.isConditionalMediationAvailable());
}
var _browserSupportsWebAuthnAutofillInternals = {
  stubThis: (value) => value
};

// node_modules/@simplewebauthn/browser/esm/helpers/identifyAuthenticationError.js
function identifyAuthenticationError({ error, options }) {
  const { publicKey } = options;
  if (!publicKey) {
    throw Error("options was missing required publicKey property");
  }
  if (error.name === "AbortError") {
    if (options.signal instanceof AbortSignal) {
      return new WebAuthnError({
        message: "Authentication ceremony was sent an abort signal",
        code: "ERROR_CEREMONY_ABORTED",
        cause: error
      });
    }
  } else if (error.name === "NotAllowedError") {
    return new WebAuthnError({
      message: error.message,
      code: "ERROR_PASSTHROUGH_SEE_CAUSE_PROPERTY",
      cause: error
    });
  } else if (error.name === "SecurityError") {
    const effectiveDomain = globalThis.location.hostname;
    if (!isValidDomain(effectiveDomain)) {
      return new WebAuthnError({
        message: `${globalThis.location.hostname} is an invalid domain`,
        code: "ERROR_INVALID_DOMAIN",
        cause: error
      });
    } else if (publicKey.rpId !== effectiveDomain) {
      return new WebAuthnError({
        message: `The RP ID "${publicKey.rpId}" is invalid for this domain`,
        code: "ERROR_INVALID_RP_ID",
        cause: error
      });
    }
  } else if (error.name === "UnknownError") {
    return new WebAuthnError({
      message: "The authenticator was unable to process the specified options, or could not create a new assertion signature",
      code: "ERROR_AUTHENTICATOR_GENERAL_ERROR",
      cause: error
    });
  }
  return error;
}

// node_modules/@simplewebauthn/browser/esm/methods/startAuthentication.js
async function startAuthentication(options) {
  if (!options.optionsJSON && options.challenge) {
    console.warn("startAuthentication() was not called correctly. It will try to continue with the provided options, but this call should be refactored to use the expected call structure instead. See https://simplewebauthn.dev/docs/packages/browser#typeerror-cannot-read-properties-of-undefined-reading-challenge for more information.");
    options = { optionsJSON: options };
  }
  const { optionsJSON, useBrowserAutofill = false, verifyBrowserAutofillInput = true } = options;
  if (!browserSupportsWebAuthn()) {
    throw new Error("WebAuthn is not supported in this browser");
  }
  let allowCredentials;
  if (optionsJSON.allowCredentials?.length !== 0) {
    allowCredentials = optionsJSON.allowCredentials?.map(toPublicKeyCredentialDescriptor);
  }
  const publicKey = {
    ...optionsJSON,
    challenge: base64URLStringToBuffer(optionsJSON.challenge),
    allowCredentials
  };
  const getOptions = {};
  if (useBrowserAutofill) {
    if (!await browserSupportsWebAuthnAutofill()) {
      throw Error("Browser does not support WebAuthn autofill");
    }
    const eligibleInputs = document.querySelectorAll("input[autocomplete$='webauthn']");
    if (eligibleInputs.length < 1 && verifyBrowserAutofillInput) {
      throw Error('No <input> with "webauthn" as the only or last value in its `autocomplete` attribute was detected');
    }
    getOptions.mediation = "conditional";
    publicKey.allowCredentials = [];
  }
  getOptions.publicKey = publicKey;
  getOptions.signal = WebAuthnAbortService.createNewAbortSignal();
  let credential;
  try {
    credential = await navigator.credentials.get(
      // TODO: Newer versions of Deno require this casting, revisit once we're using Deno 2.6+
      getOptions
    );
  } catch (err2) {
    throw identifyAuthenticationError({ error: err2, options: getOptions });
  }
  if (!credential) {
    throw new Error("Authentication was not completed");
  }
  const { id, rawId, response, type } = credential;
  let userHandle = void 0;
  if (response.userHandle) {
    userHandle = bufferToBase64URLString(response.userHandle);
  }
  return {
    id,
    rawId: bufferToBase64URLString(rawId),
    response: {
      authenticatorData: bufferToBase64URLString(response.authenticatorData),
      clientDataJSON: bufferToBase64URLString(response.clientDataJSON),
      signature: bufferToBase64URLString(response.signature),
      userHandle
    },
    type,
    clientExtensionResults: credential.getClientExtensionResults(),
    authenticatorAttachment: toAuthenticatorAttachment(credential.authenticatorAttachment)
  };
}

// src/passkey/ceremony.ts
function obstacle2(served, host = location.hostname) {
  if (served === false || /^[\d.]+$|^\[/.test(host)) return "address";
  if (browserSupportsWebAuthn()) return void 0;
  return globalThis.isSecureContext ? "browser" : "insecure";
}
var useObstacle = () => obstacle2(useSettings()?.passkeys);
var canOffer = browserSupportsWebAuthnAutofill;
var running4;
async function alone(signal, start2) {
  while (running4) {
    running4.end();
    await running4.over;
  }
  if (signal.aborted) throw cancelled();
  const work4 = start2();
  const mine2 = running4 = {
    // The library may not be ready to be cancelled yet: once is not enough.
    end: () => {
      if (running4 !== mine2) return;
      WebAuthnAbortService.cancelCeremony();
      setTimeout(mine2.end, 20);
    },
    over: work4.catch(() => void 0)
  };
  signal.addEventListener("abort", mine2.end);
  try {
    return await work4;
  } catch (err2) {
    throw problemOf3(err2);
  } finally {
    running4 = void 0;
    signal.removeEventListener("abort", mine2.end);
  }
}
var make = (optionsJSON, signal) => alone(signal, async () => ({ ...await startRegistration({ optionsJSON }) }));
var use2 = (optionsJSON, signal) => alone(signal, async () => ({ ...await startAuthentication({ optionsJSON }) }));
var offer = (optionsJSON, signal) => alone(signal, async () => ({ ...await startAuthentication({ optionsJSON, useBrowserAutofill: true }) }));
var unused = (err2) => err2 instanceof Problem && err2.code === "passkey_unused";
function problemOf3(err2) {
  const { name, code, cause } = err2;
  const problem2 = (is) => new Problem({ status: 0, code: is });
  switch (code) {
    case "ERROR_CEREMONY_ABORTED":
      return cancelled();
    case "ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED":
      return problem2("passkey_exists");
  }
  switch (cause?.name ?? name) {
    case "AbortError":
      return cancelled();
    case "NotAllowedError":
      return problem2("passkey_unused");
    case "SecurityError":
      return problem2("passkey_address");
    case "ConstraintError":
    case "NotSupportedError":
      return problem2("passkey_unfit");
  }
  console.warn(err2);
  return problem2("passkey_failed");
}

// src/passkey/words.ts
var t11 = catalog({
  en: {
    passkeys: "Passkeys",
    text: "Sign in with your fingerprint, your face or your screen lock. A passkey needs no password and no code, and no false site can steal it.",
    none: "You have no passkey yet.",
    add: "Add a passkey",
    addSecond: "Add another passkey",
    inSummary: { one: "Passkey", other: "One of {count} passkeys" },
    orAlone: { one: "Or your passkey alone", other: "Or one of {count} passkeys alone" },
    addText: "Your browser asks where to keep the passkey: on this device, in a password manager, on your phone or on a security key.",
    make: "Create passkey",
    name: "Name",
    nameHint: "Optional. It tells your passkeys apart in this list.",
    notMade: "No passkey was created. You can try again, or close this.",
    added: "“{name}” is added. You can sign in with it from now on.",
    synced: "On all devices of its password manager",
    single: "On one device only",
    lastUse: "Last used",
    neverUsed: "Not used yet",
    since: "since",
    menu: "Actions for {name}",
    rename: "Rename",
    renameTitle: "Rename the passkey",
    save: "Save",
    remove: "Remove",
    removeTitle: "Remove “{name}”?",
    removeText: "It no longer signs in to your account. Devices that are signed in stay so.",
    removeThere: "Your browser may go on proposing it until you delete it in {place} too.",
    removeElse: "Your browser may go on proposing it until you delete it where it is kept too.",
    removed: "The passkey is removed.",
    enter: "Sign in with a passkey",
    pass: "Use your passkey",
    prove: "Confirm with a passkey",
    noneEnter: "No passkey was used. If you have none on this device, sign in with your password.",
    nonePass: "No passkey was used. If you have none on this device, continue with the step below.",
    noneProve: "No passkey was used. If you have none on this device, confirm in another way.",
    cannot_insecure: "Passkeys need a secure connection. Open Coffer at an address that begins with https.",
    cannot_browser: "This browser cannot use passkeys. Use a current browser.",
    cannot_address: "Passkeys do not work at the address of this Coffer. They need a name in place of a number, and https. Ask the person who runs it.",
    go: { one: "Your passkey", other: "Your {count} passkeys" }
  },
  de: {
    passkeys: "Passkeys",
    text: "Melden Sie sich mit Fingerabdruck, Gesicht oder Bildschirmsperre an. Ein Passkey braucht weder Passwort noch Code, und keine falsche Website kann ihn stehlen.",
    none: "Sie haben noch keinen Passkey.",
    add: "Passkey hinzufügen",
    addSecond: "Noch einen Passkey hinzufügen",
    inSummary: { one: "Passkey", other: "Einer von {count} Passkeys" },
    orAlone: { one: "Oder Ihr Passkey allein", other: "Oder einer von {count} Passkeys allein" },
    addText: "Ihr Browser fragt, wo der Passkey liegen soll: auf diesem Gerät, in einem Passwortmanager, auf Ihrem Telefon oder auf einem Sicherheitsschlüssel.",
    make: "Passkey erstellen",
    name: "Name",
    nameHint: "Freiwillig. Er unterscheidet Ihre Passkeys in dieser Liste.",
    notMade: "Es wurde kein Passkey erstellt. Sie können es noch einmal versuchen oder hier schließen.",
    added: "„{name}“ ist hinzugefügt. Ab jetzt können Sie sich damit anmelden.",
    synced: "Auf allen Geräten seines Passwortmanagers",
    single: "Nur auf einem Gerät",
    lastUse: "Zuletzt benutzt:",
    neverUsed: "Noch nicht benutzt",
    since: "seit",
    menu: "Aktionen für {name}",
    rename: "Umbenennen",
    renameTitle: "Passkey umbenennen",
    save: "Speichern",
    remove: "Entfernen",
    removeTitle: "„{name}“ entfernen?",
    removeText: "Er meldet niemanden mehr in Ihrem Konto an. Angemeldete Geräte bleiben angemeldet.",
    removeThere: "Vielleicht schlägt Ihr Browser ihn weiter vor, bis Sie ihn auch in {place} löschen.",
    removeElse: "Vielleicht schlägt Ihr Browser ihn weiter vor, bis Sie ihn auch dort löschen, wo er liegt.",
    removed: "Der Passkey ist entfernt.",
    enter: "Mit Passkey anmelden",
    pass: "Ihren Passkey benutzen",
    prove: "Mit Passkey bestätigen",
    noneEnter: "Es wurde kein Passkey benutzt. Wenn auf diesem Gerät keiner ist, melden Sie sich mit Ihrem Passwort an.",
    nonePass: "Es wurde kein Passkey benutzt. Wenn auf diesem Gerät keiner ist, machen Sie mit dem Schritt darunter weiter.",
    noneProve: "Es wurde kein Passkey benutzt. Wenn auf diesem Gerät keiner ist, bestätigen Sie auf andere Weise.",
    cannot_insecure: "Passkeys brauchen eine sichere Verbindung. Öffnen Sie Coffer unter einer Adresse, die mit https beginnt.",
    cannot_browser: "Dieser Browser kann keine Passkeys benutzen. Nehmen Sie einen aktuellen Browser.",
    cannot_address: "Unter der Adresse dieses Coffers funktionieren Passkeys nicht. Sie brauchen einen Namen statt einer Nummer und https. Fragen Sie, wer ihn betreibt.",
    go: { one: "Ihr Passkey", other: "Ihre {count} Passkeys" }
  }
});
var problems8 = catalog({
  en: {
    passkey_unused: "No passkey was used.",
    passkey_address: "The browser uses no passkeys at this address. Open Coffer at its usual address and try again.",
    passkey_unfit: "This device or security key cannot keep a passkey that asks for a PIN, a fingerprint or a face. Choose another one.",
    passkey_failed: "The passkey did not work. Try again, or use another way.",
    passkey_exists: "This device or password manager already has a passkey of your account.",
    invalid_passkey: "This passkey does not work here. It may have been removed, or the page was open too long. Try again, or use another way.",
    passkey_refused: "The server cannot use this passkey. Try again, or keep it elsewhere.",
    too_many_passkeys: "You have as many passkeys as an account can have. Remove one that you no longer use.",
    passkeys_unavailable: "Passkeys do not work at the address of this Coffer. They need a name in place of a number, and https. Ask the person who runs it."
  },
  de: {
    passkey_unused: "Es wurde kein Passkey benutzt.",
    passkey_address: "Unter dieser Adresse benutzt der Browser keine Passkeys. Öffnen Sie Coffer unter seiner üblichen Adresse und versuchen Sie es noch einmal.",
    passkey_unfit: "Dieses Gerät oder dieser Sicherheitsschlüssel kann keinen Passkey aufbewahren, der nach PIN, Fingerabdruck oder Gesicht fragt. Wählen Sie ein anderes.",
    passkey_failed: "Der Passkey hat nicht funktioniert. Versuchen Sie es noch einmal, oder nehmen Sie einen anderen Weg.",
    passkey_exists: "Dieses Gerät oder dieser Passwortmanager hat schon einen Passkey Ihres Kontos.",
    invalid_passkey: "Dieser Passkey gilt hier nicht. Vielleicht wurde er entfernt, oder die Seite war zu lange offen. Versuchen Sie es noch einmal, oder nehmen Sie einen anderen Weg.",
    passkey_refused: "Der Server kann diesen Passkey nicht benutzen. Versuchen Sie es noch einmal, oder bewahren Sie ihn anderswo auf.",
    too_many_passkeys: "Mehr Passkeys kann ein Konto nicht haben. Entfernen Sie einen, den Sie nicht mehr benutzen.",
    passkeys_unavailable: "Unter der Adresse dieses Coffers funktionieren Passkeys nicht. Sie brauchen einen Namen statt einer Nummer und https. Fragen Sie, wer ihn betreibt."
  }
});

// src/passkey/section.tsx
var wanted = y3(false);
var beginAdding = () => void (wanted.value = true);
function Section2({ status }) {
  const { data, problem: problem2, reload, set } = useLoad(async (signal) => (await get("/account/passkeys", { signal })).items, []);
  const [wish, setWish] = d2();
  const blocked = useObstacle();
  const close = () => setWish(void 0);
  A2(() => {
    if (!wanted.value) return;
    wanted.value = false;
    if (!blocked) setWish({ kind: "add" });
  }, [wanted.value]);
  const changed3 = async (items) => {
    set(items);
    await status.reload();
  };
  return /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": "passkeys", children: [
    /* @__PURE__ */ a4("div", { class: "card-head", children: [
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("h2", { id: "passkeys", children: t11("passkeys") }),
        /* @__PURE__ */ a4("p", { class: "hint", children: t11("text") })
      ] }),
      data && !blocked && /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => setWish({ kind: "add" }), children: t11("add") })
    ] }),
    blocked && /* @__PURE__ */ a4("p", { class: "notice", children: [
      /* @__PURE__ */ a4(Icon, { name: "key" }),
      " ",
      /* @__PURE__ */ a4("span", { children: t11(`cannot_${blocked}`) })
    ] }),
    problem2 ? /* @__PURE__ */ a4(Failed, { problem: problem2, retry: reload }) : !data ? /* @__PURE__ */ a4(Skeleton, { rows: 2 }) : data.length === 0 ? !blocked && /* @__PURE__ */ a4("p", { class: "passkeys-none", children: [
      /* @__PURE__ */ a4(Icon, { name: "key" }),
      " ",
      t11("none")
    ] }) : /* @__PURE__ */ a4("ul", { class: "passkeys", children: data.map((p5) => /* @__PURE__ */ a4("li", { class: "passkey", children: [
      /* @__PURE__ */ a4("span", { class: "passkey-icon", children: /* @__PURE__ */ a4(Icon, { name: "key" }) }),
      /* @__PURE__ */ a4("div", { class: "passkey-text", children: [
        /* @__PURE__ */ a4("p", { children: /* @__PURE__ */ a4("strong", { title: p5.name, children: p5.name }) }),
        /* @__PURE__ */ a4("p", { class: "hint", children: traits(p5) }),
        /* @__PURE__ */ a4("p", { class: "hint", children: [
          p5.last_used_at ? /* @__PURE__ */ a4($, { children: [
            t11("lastUse"),
            " ",
            /* @__PURE__ */ a4(Time, { at: p5.last_used_at, children: ago(p5.last_used_at) })
          ] }) : t11("neverUsed"),
          " · ",
          t11("since"),
          " ",
          /* @__PURE__ */ a4(Time, { at: p5.created_at, children: date(p5.created_at) })
        ] })
      ] }),
      /* @__PURE__ */ a4(Menu, { label: t11("menu", { name: p5.name }), items: [
        { icon: "pencil", label: t11("rename"), run: () => setWish({ kind: "rename", passkey: p5 }) },
        { icon: "trash", label: t11("remove"), danger: true, run: () => setWish({ kind: "remove", passkey: p5 }) }
      ], children: /* @__PURE__ */ a4(Icon, { name: "more" }) })
    ] }, p5.id)) }),
    wish?.kind === "add" && /* @__PURE__ */ a4(Add, { onClose: close, onAdded: async (passkey2) => {
      close();
      toast(t11("added", { name: passkey2.name }));
      await changed3([...data ?? [], passkey2]);
    } }),
    wish?.kind === "rename" && /* @__PURE__ */ a4(Dialog, { title: t11("renameTitle"), onClose: close, children: /* @__PURE__ */ a4(Form, { submit: t11("save"), onCancel: close, onSubmit: async (v4) => {
      const renamed = await patch("/account/passkeys/{id}", { path: { id: wish.passkey.id }, body: { name: v4.name } });
      close();
      set((data ?? []).map((p5) => p5.id === renamed.id ? renamed : p5));
    }, children: /* @__PURE__ */ a4(Field, { name: "name", label: t11("name"), value: wish.passkey.name, required: true, maxLength: longest2, autoFocus: true, selectName: true }) }) }),
    wish?.kind === "remove" && /* @__PURE__ */ a4(Confirm, { title: t11("removeTitle", { name: wish.passkey.name }), action: t11("remove"), onClose: close, onConfirm: async () => {
      await del("/account/passkeys/{id}", { path: { id: wish.passkey.id } });
      toast(t11("removed"));
      await changed3((data ?? []).filter((p5) => p5.id !== wish.passkey.id));
    }, children: [
      /* @__PURE__ */ a4("p", { children: t11("removeText") }),
      /* @__PURE__ */ a4("p", { children: wish.passkey.provider ? t11("removeThere", { place: wish.passkey.provider }) : t11("removeElse") })
    ] })
  ] });
}
var longest2 = 64;
function Add({ onClose, onAdded }) {
  const end4 = useEnd();
  const [none2, setNone] = d2(false);
  return /* @__PURE__ */ a4(Dialog, { title: t11("add"), onClose, children: [
    /* @__PURE__ */ a4("p", { children: t11("addText") }),
    /* @__PURE__ */ a4(Form, { submit: t11("make"), icon: "key", onCancel: onClose, onSubmit: async (v4) => {
      setNone(false);
      const options = await post("/account/passkeys/options");
      try {
        const credential = await make(options, end4);
        const name = v4.name.trim();
        await onAdded(await post("/account/passkeys", { body: { credential, ...name && { name } } }));
      } catch (err2) {
        if (!unused(err2)) throw err2;
        setNone(true);
      }
    }, children: [
      /* @__PURE__ */ a4(Calm, { children: none2 && t11("notMade") }),
      /* @__PURE__ */ a4(Field, { name: "name", label: t11("name"), hint: t11("nameHint"), maxLength: longest2, autoFocus: true })
    ] })
  ] });
}
function traits({ name, provider, synced }) {
  return [provider && provider !== name ? provider : "", t11(synced ? "synced" : "single")].filter(Boolean).join(" · ");
}
function PasskeysGo() {
  const { data } = useLoad((signal) => get("/account/security", { signal }), []);
  const count2 = data?.passkeys?.left ?? 0;
  return count2 > 0 ? /* @__PURE__ */ a4("li", { children: t11("go", { count: count2 }) }) : null;
}
function InSummary({ lines }) {
  const count2 = lines.passkeys?.left ?? 0;
  return count2 > 0 ? /* @__PURE__ */ a4("li", { children: [
    /* @__PURE__ */ a4(Icon, { name: "key" }),
    " ",
    lines.password?.enabled === false ? t11("inSummary", { count: count2 }) : t11("orAlone", { count: count2 })
  ] }) : null;
}

// src/passkey/ways.tsx
function Ask({ label, otherwise, main, focus = main, onCancel, onAsk }) {
  const [none2, setNone] = d2(false);
  return /* @__PURE__ */ a4(Form, { submit: label, icon: "key", quiet: !main, focus, onCancel, onSubmit: async () => {
    setNone(false);
    await onAsk().catch((err2) => {
      if (!unused(err2)) throw err2;
      setNone(true);
    });
  }, children: /* @__PURE__ */ a4(Calm, { children: none2 && otherwise }) });
}
var fresh = 4 * 6e4;
function Enter({ onOpened, paused }) {
  const end4 = useEnd();
  const can = useObstacle() === void 0;
  const [asking, setAsking] = d2(false);
  const [round, setRound] = d2(0);
  const [problem2, setProblem] = d2();
  const refused3 = T2(0);
  async function enter2(credential) {
    const opened = await post("/auth/passkey", { open: true, body: { credential, ...await keeper().opening() } }).catch((err2) => {
      const activate = wayBack("activate");
      if (!(err2 instanceof Problem) || err2.code !== "account_deactivated" || !activate) throw err2;
      activate.take({ identifier: "", way: Activate });
      go(activate.href);
    });
    if (opened) await onOpened(opened);
  }
  A2(() => {
    if (!can || paused || asking || refused3.current > 2) return;
    const over3 = new AbortController();
    let chosen3 = false;
    const again3 = () => {
      if (document.hidden) document.addEventListener("visibilitychange", again3, { once: true, signal: over3.signal });
      else if (!chosen3) setRound((n3) => n3 + 1);
    };
    const timer2 = setTimeout(again3, fresh);
    void (async () => {
      if (!await canOffer()) return;
      let credential;
      try {
        credential = await offer(await post("/auth/passkey/options", { open: true, signal: over3.signal }), over3.signal);
        chosen3 = true;
      } catch {
        return;
      }
      setProblem(void 0);
      await enter2(credential).catch((err2) => {
        setProblem(asProblem(err2));
        refused3.current++;
        setRound((n3) => n3 + 1);
      });
    })();
    return () => {
      clearTimeout(timer2);
      over3.abort();
    };
  }, [can, paused, asking, round]);
  if (!can) return null;
  return /* @__PURE__ */ a4($, { children: [
    problem2 && /* @__PURE__ */ a4(Failed, { problem: problem2 }),
    /* @__PURE__ */ a4(Ask, { label: t11("enter"), otherwise: t11("noneEnter"), onAsk: async () => {
      setProblem(void 0);
      setAsking(true);
      try {
        await enter2(await use2(await post("/auth/passkey/options", { open: true }), end4));
      } catch (err2) {
        setAsking(false);
        throw err2;
      }
    } }, refused3.current)
  ] });
}
function Pass({ challenge, guard: guard5, onOpened }) {
  const end4 = useEnd();
  if (useObstacle()) return null;
  const attempt = { path: { id: challenge.attempt_id }, attempt: challenge.attempt_token };
  return /* @__PURE__ */ a4(Ask, { label: t11("pass"), otherwise: t11("nonePass"), onAsk: async () => {
    const options = await guard5(post("/auth/attempts/{id}/passkey/options", attempt));
    if (!options) return;
    const credential = await use2(options, end4);
    const opened = await guard5(post("/auth/attempts/{id}/passkey", { ...attempt, body: { credential } }));
    if (opened) await onOpened(opened);
  } });
}
function Activate({ main, onSend }) {
  if (useObstacle()) return null;
  return /* @__PURE__ */ a4(Ask, { label: t11("pass"), otherwise: t11("noneProve"), main, focus: false, onAsk: () => onSend(async (end4) => {
    const credential = await use2(await post("/auth/passkey/options", { open: true }), end4);
    await post("/auth/activate/passkey", { open: true, body: { credential } });
  }) });
}
var proves = ({ passkeys, password }) => (passkeys?.enabled ?? false) && (obstacle2(void 0) === void 0 || password?.enabled === false);
function Prove({ main, onOpened, onCancel }) {
  const end4 = useEnd();
  const blocked = useObstacle();
  if (blocked) return main ? /* @__PURE__ */ a4("p", { class: "notice", children: [
    /* @__PURE__ */ a4(Icon, { name: "key" }),
    " ",
    /* @__PURE__ */ a4("span", { children: t11(`cannot_${blocked}`) })
  ] }) : null;
  return /* @__PURE__ */ a4(Ask, { label: t11("prove"), otherwise: t11("noneProve"), main, onCancel, onAsk: async () => {
    const credential = await use2(await post("/account/reauthenticate/passkey/options"), end4);
    await onOpened(await post("/account/reauthenticate/passkey", { body: { credential } }));
  } });
}

// src/passkey/room.ts
var passkey = {
  enter: { Entry: Enter, order: 1 },
  prove: { Way: Prove, on: proves, order: 1 },
  pass: { Way: Pass, order: 1 },
  activate: { Way: Activate, order: 1 },
  security: { Section: Section2, order: 6, repairs: true, advised: { line: "passkeys", label: () => t11("addSecond"), run: beginAdding } },
  wayIn: { Names: InSummary, order: 9, alone: true },
  loss: { Line: PasskeysGo, order: 9 },
  problems: problems8
};

// src/question/words.ts
var t12 = catalog({
  en: {
    step: "Security question",
    hintIs: "Your hint: {hint}",
    forgiving: "Capital letters and spaces do not matter.",
    unreadable: "The server cannot read your question, so no answer can pass. Please ask the person who runs this server.",
    go: "Continue",
    title: "Security question",
    offText: "When you sign in on a new device, we also ask a question of yours, as the last step. It helps little: people who know you may know the answer.",
    onText: "When you sign in on a new device, we ask your question as the last step. People who know you may know the answer.",
    enable: "Set a question",
    enableTitle: "Set a security question",
    change: "Change the question",
    changeTitle: "Change the security question",
    changeText: "Write a new question with its answer; the old ones are not shown. Devices that were remembered are asked again.",
    changeDo: "Save",
    question: "Your question",
    questionHint: "The best question is one that only you would ask.",
    ideas: "Ideas for a question",
    idea1: "What did I call my first bicycle?",
    idea2: "Which dish did I refuse to eat as a child?",
    idea3: "Which place did I and my oldest friend make up?",
    answer: "Answer",
    answerHint: "Nobody should be able to look it up. It need not be true, if you remember it. Capital letters and spaces do not matter.",
    hint: "Hint (optional)",
    hintHint: "Shown with the question when you sign in. It must not hold the answer.",
    enabled: "The security question is on.",
    changed: "The security question is changed.",
    disable: "Turn off the question",
    disabled: "The security question is off.",
    disableTitle: "Turn off the security question?",
    disableText: "Question, answer and hint are deleted. No sign-in asks for them any more.",
    goStep: "Your security question and its answer"
  },
  de: {
    step: "Sicherheitsfrage",
    hintIs: "Ihr Hinweis: {hint}",
    forgiving: "Groß- und Kleinschreibung und Leerzeichen sind egal.",
    unreadable: "Der Server kann Ihre Frage nicht lesen, darum gilt keine Antwort. Bitte fragen Sie, wer diesen Server betreibt.",
    go: "Weiter",
    title: "Sicherheitsfrage",
    offText: "Wenn Sie sich auf einem neuen Gerät anmelden, stellen wir als letzten Schritt auch eine Frage von Ihnen. Das hilft wenig: Wer Sie kennt, weiß vielleicht die Antwort.",
    onText: "Wenn Sie sich auf einem neuen Gerät anmelden, stellen wir als letzten Schritt Ihre Frage. Wer Sie kennt, weiß vielleicht die Antwort.",
    enable: "Frage festlegen",
    enableTitle: "Sicherheitsfrage festlegen",
    change: "Frage ändern",
    changeTitle: "Sicherheitsfrage ändern",
    changeText: "Schreiben Sie eine neue Frage mit ihrer Antwort; die alten werden nicht gezeigt. Gemerkte Geräte werden wieder gefragt.",
    changeDo: "Speichern",
    question: "Ihre Frage",
    questionHint: "Am besten ist eine Frage, die nur Sie stellen würden.",
    ideas: "Ideen für eine Frage",
    idea1: "Wie nannte ich mein erstes Fahrrad?",
    idea2: "Welches Gericht wollte ich als Kind nicht essen?",
    idea3: "Welchen Ort habe ich mir mit meinem ältesten Freund ausgedacht?",
    answer: "Antwort",
    answerHint: "Niemand sollte sie nachschlagen können. Sie muss nicht stimmen, wenn Sie sie sich merken. Groß- und Kleinschreibung und Leerzeichen sind egal.",
    hint: "Hinweis (freiwillig)",
    hintHint: "Steht beim Anmelden unter der Frage. Er darf die Antwort nicht enthalten.",
    enabled: "Die Sicherheitsfrage ist an.",
    changed: "Die Sicherheitsfrage ist geändert.",
    disable: "Frage ausschalten",
    disabled: "Die Sicherheitsfrage ist aus.",
    disableTitle: "Sicherheitsfrage ausschalten?",
    disableText: "Frage, Antwort und Hinweis werden gelöscht. Keine Anmeldung fragt mehr danach.",
    goStep: "Ihre Sicherheitsfrage und ihre Antwort"
  }
});
var problems9 = catalog({
  en: {
    wrong_answer: "That answer is not right. Capital letters and spaces do not matter, but every letter does.",
    field_in_question: "The answer stands in the question. Change one of them.",
    field_in_hint: "The answer stands in the hint. Change one of them."
  },
  de: {
    wrong_answer: "Diese Antwort stimmt nicht. Groß- und Kleinschreibung und Leerzeichen sind egal, aber jeder Buchstabe zählt.",
    field_in_question: "Die Antwort steht in der Frage. Ändern Sie eine von beiden.",
    field_in_hint: "Die Antwort steht im Hinweis. Ändern Sie eins von beiden."
  }
});

// src/question/section.tsx
function Section3({ status }) {
  const [wish, setWish] = d2();
  const close = () => setWish(void 0);
  async function done(said) {
    close();
    toast(said);
    await status.reload();
  }
  return /* @__PURE__ */ a4(
    LayerCard,
    {
      layer: "security_question",
      title: t12("title"),
      status,
      text: (on) => on ? t12("onText") : t12("offText"),
      buttons: (on) => on ? /* @__PURE__ */ a4($, { children: [
        /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => setWish("change"), children: t12("change") }),
        /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => setWish("disable"), children: t12("disable") })
      ] }) : /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => setWish("enable"), children: t12("enable") }),
      children: [
        (wish === "enable" || wish === "change") && /* @__PURE__ */ a4(Dialog, { title: wish === "enable" ? t12("enableTitle") : t12("changeTitle"), onClose: close, children: /* @__PURE__ */ a4(SetUp, { change: wish === "change", onClose: close, onDone: () => done(wish === "enable" ? t12("enabled") : t12("changed")) }) }),
        wish === "disable" && /* @__PURE__ */ a4(
          TurnOff,
          {
            title: t12("disableTitle"),
            onClose: close,
            off: (recovery2) => del("/account/security-question", { query: { recovery: recovery2 } }),
            onOff: () => done(t12("disabled")),
            children: /* @__PURE__ */ a4("p", { children: t12("disableText") })
          }
        )
      ]
    }
  );
}
function StepGoes2() {
  const { data } = useLoad((signal) => get("/account/security", { signal }), []);
  return data?.security_question?.enabled ? /* @__PURE__ */ a4("li", { children: t12("goStep") }) : null;
}
function SetUp({ change, onClose, onDone }) {
  const [idea, setIdea] = d2();
  return /* @__PURE__ */ a4(Form, { submit: change ? t12("changeDo") : t12("enable"), onCancel: onClose, onSubmit: async (v4) => {
    await put("/account/security-question", { body: { question: v4.question, answer: v4.answer, hint: v4.hint } });
    await onDone();
  }, children: [
    change && /* @__PURE__ */ a4("p", { class: "hint", children: t12("changeText") }),
    /* @__PURE__ */ a4(Field, { name: "question", label: t12("question"), class: "asked", value: idea, required: true, autoFocus: idea === void 0, maxLength: 200, autoComplete: "off", hint: t12("questionHint") }, idea),
    /* @__PURE__ */ a4("div", { class: "ideas", role: "group", "aria-label": t12("ideas"), children: [t12("idea1"), t12("idea2"), t12("idea3")].map((text2) => /* @__PURE__ */ a4("button", { type: "button", class: "link", onClick: () => setIdea(text2), children: text2 }, text2)) }),
    /* @__PURE__ */ a4(Field, { name: "answer", label: t12("answer"), secret: true, required: true, maxLength: 200, autoComplete: "off", spellcheck: false, hint: t12("answerHint") }),
    /* @__PURE__ */ a4(Field, { name: "hint", label: t12("hint"), maxLength: 200, autoComplete: "off", hint: t12("hintHint") })
  ] });
}

// src/question/step.tsx
function Step2({ layer, answer }) {
  if (!layer.question) return /* @__PURE__ */ a4("p", { children: t12("unreadable") });
  return /* @__PURE__ */ a4(Form, { submit: t12("go"), onSubmit: (v4) => answer("/auth/attempts/{id}/security-question", { answer: v4.answer }), children: /* @__PURE__ */ a4(
    Field,
    {
      name: "answer",
      label: layer.question,
      secret: true,
      class: "asked",
      required: true,
      autoFocus: true,
      maxLength: 200,
      autoComplete: "off",
      spellcheck: false,
      hint: layer.hint ? /* @__PURE__ */ a4($, { children: [
        t12("hintIs", { hint: layer.hint }),
        /* @__PURE__ */ a4("br", {}),
        t12("forgiving")
      ] }) : t12("forgiving")
    }
  ) });
}

// src/question/room.ts
var question = {
  layers: { security_question: { title: () => t12("step"), order: 9, Step: Step2 } },
  security: { Section: Section3, order: 4 },
  loss: { Line: StepGoes2, order: 7 },
  problems: problems9
};

// src/recovery/enter.ts
async function enterBy(link, send4, done) {
  const opening2 = await keeper().opening();
  await link.use(async (token2) => {
    let opened;
    try {
      opened = await send4(token2, opening2);
    } catch (err2) {
      if (!(err2 instanceof Problem) || err2.code !== "not_signed_in") throw err2;
      go(signInPath(), { replace: true });
      return toast(say(err2), true);
    }
    await keeper().enter(opened);
    if (done) toast(done);
  });
}

// src/recovery/words.ts
var t13 = catalog({
  en: {
    waysBack: "Ways back in",
    waysBackHint: "For the day when you lose your phone or forget your password. Set one up before you need it.",
    waysNeed: { one: "A way back in needs two sign-in steps, so that it opens nothing by itself. Turn on one more first.", other: "A way back in needs two sign-in steps, so that it opens nothing by itself. Turn on two first." },
    waysNeedDo: "Choose a sign-in step",
    waysOn: "On",
    waysOff: "Off",
    codes: "Backup codes",
    codesOff: "Ten codes to print or to keep in a safe place. With your password, one of them lets you back in when a sign-in step is lost.",
    codesOn: "One of them, with your password, lets you back in when a sign-in step is lost.",
    codesLeft: { one: "{count} code is left. With your password it lets you back in when a sign-in step is lost.", other: "{count} codes are left. With your password, one of them lets you back in when a sign-in step is lost." },
    codesGlance: { one: "Backup codes ({count} left)", other: "Backup codes ({count} left)" },
    codesNone: "All codes are used. Make new ones.",
    codesMake: "Make backup codes",
    codesShow: "Show codes",
    codesNew: "Make new codes",
    codesTurnOff: "Turn off backup codes",
    codesSave: "Save your backup codes",
    codesSaveNew: "Save your new backup codes",
    codesKeep: "Each code works once. Keep them where only you find them, and not on the phone that you sign in with.",
    codesNotYet: "They work once you confirm, within an hour, that you have saved them.",
    codesOldGood: "Your old codes stay good until you confirm, within an hour, that you have saved these.",
    codesSaved: "I have saved these codes",
    codesAreOn: "Your backup codes are on.",
    codesRenewed: "Your new backup codes are on. The old ones no longer work.",
    codesNotOn: "Backup codes are not on yet: you have not confirmed that you saved them.",
    codesNotNew: "Your old codes stay good: you have not confirmed yet that you saved the new ones.",
    codesYours: "Your backup codes",
    codesOnce: "Each code works once.",
    codesUsed: "used on",
    codesPending: "You made new codes and have not confirmed yet that you saved them. The ones below are good until then.",
    codesPendingDo: "Show the new codes",
    codesText: "Save as text",
    codesAgain: "Show them again",
    codesPrint: "Print",
    codesOffTitle: "Turn off backup codes?",
    codesOffText: "The codes that you saved stop working at once. If you lose a sign-in step after that, they cannot help.",
    codesOffDo: "Turn off",
    codesAreOff: "Backup codes are off.",
    paperTitle: "Coffer backup codes of {username}",
    paperMade: "Made on {date}",
    paperFoot: "Each code works once, at {address}. Keep them where only you find them.",
    paperFile: "backup-codes",
    trusted: "Trusted address",
    trustedOff: "A second mailbox of yours, with another provider. A link that goes there helps you to a new password when your first mailbox is lost.",
    trustedOn: "{address} gets all notices about your account’s safety. A link that goes there helps you to a new password.",
    trustedRests: "Resting",
    trustedFrom: "It lets you back in from {time} on. Until then it rests, so that you can turn it off if somebody else set it.",
    trustedWaits: "Waiting",
    trustedPending: "We sent a link to {pending}. Open it there: only then does the address count.",
    trustedPendingNext: "We sent a link to {pending}. Until it is opened there, {email} stays your trusted address.",
    trustedSentAgain: "A new link is on its way. The older one no longer works.",
    trustedTakeBack: "Cancel this",
    trustedTakenBack: "The link no longer works.",
    trustedShow: "Show details",
    trustedSet: "Set a trusted address",
    trustedOther: "Use another address",
    trustedChange: "Change the address",
    trustedTurnOff: "Turn off the address",
    trustedSetTitle: "Set a trusted address",
    trustedChangeTitle: "Change the trusted address",
    trustedEmail: "E-mail address",
    trustedEmailHint: "Not the one that you sign in with. Best is a mailbox with another provider and another password.",
    trustedNextLink: "We send a link there. Every address of your account is told.",
    trustedNextRest: "Once the link is opened, the address rests for {time} before it can let you back in.",
    trustedNextRestBare: "Once the link is opened, the address rests before it can let you back in.",
    trustedNextOld: "Until then {email} stays your trusted address.",
    trustedSend: "Send the link",
    trustedSent: "We sent a link to the new address.",
    trustedOffTitle: "Turn off the trusted address?",
    trustedOffText: "{address} no longer lets you back in and gets no more notices. It gets a last mail that says so.",
    trustedOffDo: "Turn off",
    trustedIsOff: "The trusted address is off.",
    trustedProve: "Confirm your trusted address",
    trustedProveText: "Press the button, and this mailbox becomes a way back into your account.",
    trustedProveNot: "It was not you? Close this page. Without the button, nothing changes.",
    trustedProveDo: "Confirm this address",
    trustedProved: "Your trusted address is confirmed",
    trustedCounts: "Now it rests for {time}. Only after that can it let you back in. Until then you can turn it off if it was not you who set it.",
    trustedCountsBare: "Now it rests for some days. Only after that can it let you back in. Until then you can turn it off if it was not you who set it.",
    trustedCountsNow: "It can let you back in from now on.",
    trustedNotices: "From now on it gets every notice about your account’s safety.",
    trustedSignIn: "Sign in to see it",
    trustedGone: "It was used already, was replaced by a newer one, or has expired. The security page shows whether the address is confirmed, and sends a new link.",
    goCodes: "Your backup codes",
    goTrusted: "Your trusted address",
    goWays: "Your backup codes and your trusted address",
    recover: "Get back into your account",
    recoverLink: "Other ways back in",
    recoverText: "For when you cannot sign in because a password, a phone or a mailbox is lost.",
    recoverNot: "Nothing lost?",
    recoverWay: "What do you have?",
    wayCode: "A backup code",
    wayCodeHint: "One of the ten that you printed or saved",
    wayTrusted: "My trusted address",
    wayTrustedHint: "The second mailbox that you chose for this",
    backupCode: "Backup code",
    backupCodeHint: "12 digits. Spaces and hyphens do not matter.",
    noPassword: "I have no password, or forgot it too",
    whatNext: "What happens next:",
    nextCode: "You turn off the sign-in steps that you lost, set them up again, and can choose a new password. The code is used up.",
    nextCodeMail: "We send a link to the e-mail address of your account. With it you choose a new password and turn off what you lost. Only then is the code used up.",
    nextTrusted: "We send a link to your trusted address. With it you choose a new password; then your sign-in steps are asked. If you have lost those too, the page says when you can come back for them.",
    sentCode: "If the code is right, we have sent a mail to the address of that account.",
    sentCodeNext: "Open the link in the mail: then you choose a new password and repair your sign-in steps.",
    sentTrusted: "If that account has a trusted address, we have sent a mail there.",
    sentTrustedRest: "A new trusted address works only {time} after you confirmed it.",
    sentTrustedNext: "Open the link in the mail: then you choose a new password.",
    sentRecoverAgain: "If what you entered is right, a new mail is on its way.",
    otherWay: "Try something else",
    linkDo: "Continue",
    linkCodeText: "Press the button to go on. Your backup code is used up with it. Then you choose a new password and repair your sign-in steps.",
    linkTrustedText: "Press the button to go on. Then you choose a new password.",
    allTold: "Every address of your account gets a mail about this.",
    recoverGone: "It was used already, was replaced by a newer one, or has expired. Start again to get a new one.",
    recoverDamaged: "A part of the address is missing. Copy the whole link from the mail, or start again.",
    recoverAnew: "Start again",
    repair: "Repair your account",
    proved: "What you have shown",
    by_pwd: "Password",
    by_email: "Mailbox",
    by_backup_code: "Backup code",
    by_trusted_email: "Trusted address",
    by_delay: "Waiting time",
    repairUntil: "You can do this until {time}.",
    allToldNow: "Every address of your account has got a mail about it.",
    repairPasswordLead: "First choose a new password. Then turn off the sign-in steps that you lost, and set them up again.",
    repairStepsLead: "Turn off the sign-in steps that you lost, and set them up again. Your files wait until one is on, or until you have chosen a new password.",
    repairWeakLead: "Choose a new password. After that your sign-in steps are asked, as always.",
    repairWhole: "You are back. Look once more at your sign-in steps before you go on: each that is on is asked at your next sign-in.",
    repairPasswordFirst: "A new one signs you out on every other device.",
    repairPasswordToo: "If somebody else may know your password. A new one signs you out on every other device.",
    repairPasswordWeak: "A new one signs you out on every device.",
    repairPasswordDone: "Your new password is set. You are signed out on every other device.",
    repairSteps: "Sign-in steps",
    repairStepsText: "What is on here is asked at your next sign-in. Turn off what you can no longer do.",
    repairNot: "One step to your files",
    repairNotText: "Choose a new password or turn a sign-in step on.",
    repairReady: "Everything as it should be?",
    repairReadyText: "You stay signed in until {time}. After that, sign in as always.",
    repairDone: "Done",
    repairLost: "Lost your sign-in steps too?",
    repairLostFrom: "Come back from {time} on, and ask for a link to your trusted address once more. With that link you turn off the steps that you lost. Until then the mails about this let you stop it, in case it is not you.",
    repairLostText: "Come back in a day, and ask for a link to your trusted address once more. With that link you turn off the steps that you lost. Until then the mails about this let you stop it, in case it is not you.",
    stop: "Stop this recovery?",
    stopText: "The button signs everybody out of your account, ends its password, and removes sign-in steps, passkeys and connected accounts that were set up since this recovery began.",
    stopMine: "If it was you who came back into the account, close this page: you need not do anything.",
    stopDo: "Stop the recovery",
    stopDone: "The recovery is stopped",
    stopAdvice: "Nobody is signed in to your account any more, and its password no longer works. Set a new one now: we send you a link for it.",
    stopNext: "Set a new password",
    stopGone: "It was used already or has expired. If somebody else may be in your account, set a new password: that signs out every device.",
    forgotOther: "Mailbox lost too?",
    forgot: "Forgot your password",
    forgotLink: "Forgot your password?",
    forgotText: "Enter the e-mail address of your account. We send you a link with which you choose a new password.",
    email: "E-mail",
    send: "Send the link",
    remembered: "Remembered it?",
    sent: "Look into your mailbox",
    forgotSent: "If there is an account with {email}, we have sent a mail to it.",
    forgotNext: "Open the link in the mail to choose a new password.",
    forgotAgain: "If there is an account with this address, a new mail is on its way.",
    lives: "The link works for {time}.",
    noMail: "No mail? Look into your spam folder.",
    otherEmail: "Use another e-mail address",
    newLink: "Send a new link",
    reset: "Choose a new password",
    resetText: "With it you are signed in here, and signed out on every other device.",
    newPassword: "New password",
    resetDo: "Set the new password",
    resetDone: "Your new password is set.",
    resetGone: "It was used already or has expired, or you used another one. If you have set a new password, sign in with it. If not, send yourself a new link.",
    resetDamaged: "A part of the address is missing. Copy the whole link from the mail, or send yourself a new one.",
    activate: "Activate your account",
    activateAsk: "To bring a deactivated account back, show that it is yours. We send a link to its e-mail address.",
    activateLed: "Your account is deactivated. We send a link to its e-mail address, and with the link you bring the account back.",
    activateOnce: "Your account is deactivated. Confirm once more that it is you, and we send a link to its e-mail address. With the link you bring the account back.",
    activateShown: "You have confirmed with {name} that it is you. Your account is deactivated: we send a link to its e-mail address, and with the link you bring the account back.",
    identifier: "E-mail or username",
    password: "Password",
    activateNone: "No password, or forgot it?",
    activateNoneDo: "Choose one by mail first",
    notDeactivated: "Not deactivated?",
    activateSent: "If your account is deactivated, we have sent a mail to its address.",
    activateNext: "Open the link in the mail to bring the account back.",
    activateAgain: "If your account is deactivated, a new mail is on its way.",
    activateText: "Press the button, and your account is as it was. You are signed in here.",
    activateDo: "Activate my account",
    activateDone: "Your account is active again.",
    activateGone: "It was used already, was replaced by a newer one, or has expired. If your account is active again, sign in. If not, send yourself a new link.",
    activateDamaged: "A part of the address is missing. Copy the whole link from the mail, or send yourself a new one."
  },
  de: {
    waysBack: "Wege zurück",
    waysBackHint: "Für den Tag, an dem Ihr Telefon fehlt oder Sie Ihr Passwort vergessen haben. Richten Sie einen ein, bevor Sie ihn brauchen.",
    waysNeed: { one: "Ein Weg zurück braucht zwei Anmeldeschritte, damit er allein nichts öffnet. Schalten Sie zuerst noch einen ein.", other: "Ein Weg zurück braucht zwei Anmeldeschritte, damit er allein nichts öffnet. Schalten Sie zuerst zwei ein." },
    waysNeedDo: "Anmeldeschritt wählen",
    waysOn: "An",
    waysOff: "Aus",
    codes: "Notfallcodes",
    codesOff: "Zehn Codes zum Ausdrucken oder sicheren Aufbewahren. Mit Ihrem Passwort bringt einer davon Sie zurück, wenn ein Anmeldeschritt verloren ist.",
    codesOn: "Mit Ihrem Passwort bringt einer davon Sie zurück, wenn ein Anmeldeschritt verloren ist.",
    codesLeft: { one: "Noch {count} Code übrig. Mit Ihrem Passwort bringt er Sie zurück, wenn ein Anmeldeschritt verloren ist.", other: "Noch {count} Codes übrig. Mit Ihrem Passwort bringt einer davon Sie zurück, wenn ein Anmeldeschritt verloren ist." },
    codesGlance: { one: "Notfallcodes (noch {count})", other: "Notfallcodes (noch {count})" },
    codesNone: "Alle Codes sind verbraucht. Legen Sie neue an.",
    codesMake: "Notfallcodes anlegen",
    codesShow: "Codes ansehen",
    codesNew: "Neue Codes anlegen",
    codesTurnOff: "Notfallcodes ausschalten",
    codesSave: "Sichern Sie Ihre Notfallcodes",
    codesSaveNew: "Sichern Sie Ihre neuen Notfallcodes",
    codesKeep: "Jeder Code gilt einmal. Bewahren Sie sie dort auf, wo nur Sie sie finden, und nicht auf dem Telefon, mit dem Sie sich anmelden.",
    codesNotYet: "Sie gelten, sobald Sie innerhalb einer Stunde bestätigen, dass Sie sie gesichert haben.",
    codesOldGood: "Ihre alten Codes gelten, bis Sie innerhalb einer Stunde bestätigen, dass Sie diese gesichert haben.",
    codesSaved: "Ich habe diese Codes gesichert",
    codesAreOn: "Ihre Notfallcodes sind an.",
    codesRenewed: "Ihre neuen Notfallcodes sind an. Die alten gelten nicht mehr.",
    codesNotOn: "Die Notfallcodes sind noch nicht an: Sie haben nicht bestätigt, dass Sie sie gesichert haben.",
    codesNotNew: "Ihre alten Codes gelten weiter: Sie haben noch nicht bestätigt, dass Sie die neuen gesichert haben.",
    codesYours: "Ihre Notfallcodes",
    codesOnce: "Jeder Code gilt einmal.",
    codesUsed: "benutzt am",
    codesPending: "Sie haben neue Codes angelegt und noch nicht bestätigt, dass sie gesichert sind. Bis dahin gelten die folgenden.",
    codesPendingDo: "Neue Codes ansehen",
    codesText: "Als Text",
    codesAgain: "Noch einmal ansehen",
    codesPrint: "Drucken",
    codesOffTitle: "Notfallcodes ausschalten?",
    codesOffText: "Die Codes, die Sie gesichert haben, gelten sofort nicht mehr. Geht danach ein Anmeldeschritt verloren, helfen sie nicht.",
    codesOffDo: "Ausschalten",
    codesAreOff: "Die Notfallcodes sind aus.",
    paperTitle: "Coffer-Notfallcodes von {username}",
    paperMade: "Angelegt am {date}",
    paperFoot: "Jeder Code gilt einmal, auf {address}. Bewahren Sie sie dort auf, wo nur Sie sie finden.",
    paperFile: "notfallcodes",
    trusted: "Vertrauensadresse",
    trustedOff: "Ein zweites Postfach von Ihnen, bei einem anderen Anbieter. Ein Link dorthin verhilft Ihnen zu einem neuen Passwort, wenn Ihr erstes Postfach verloren ist.",
    trustedOn: "{address} erhält alle Hinweise zur Sicherheit Ihres Kontos. Ein Link dorthin verhilft Ihnen zu einem neuen Passwort.",
    trustedRests: "Ruht noch",
    trustedFrom: "Ab {time} bringt sie Sie zurück. Bis dahin ruht sie, damit Sie sie ausschalten können, falls jemand anders sie gesetzt hat.",
    trustedWaits: "Wartet",
    trustedPending: "Wir haben einen Link an {pending} gesendet. Öffnen Sie ihn dort: Erst dann gilt die Adresse.",
    trustedPendingNext: "Wir haben einen Link an {pending} gesendet. Bis er dort geöffnet ist, bleibt {email} Ihre Vertrauensadresse.",
    trustedSentAgain: "Ein neuer Link ist unterwegs. Der ältere gilt nicht mehr.",
    trustedTakeBack: "Zurücknehmen",
    trustedTakenBack: "Der Link gilt nicht mehr.",
    trustedShow: "Einzelheiten zeigen",
    trustedSet: "Vertrauensadresse angeben",
    trustedOther: "Andere Adresse angeben",
    trustedChange: "Adresse ändern",
    trustedTurnOff: "Adresse ausschalten",
    trustedSetTitle: "Vertrauensadresse angeben",
    trustedChangeTitle: "Vertrauensadresse ändern",
    trustedEmail: "E-Mail-Adresse",
    trustedEmailHint: "Nicht die, mit der Sie sich anmelden. Am besten ein Postfach bei einem anderen Anbieter und mit einem anderen Passwort.",
    trustedNextLink: "Wir senden einen Link dorthin. Alle Adressen Ihres Kontos erfahren davon.",
    trustedNextRest: "Ist der Link geöffnet, ruht die Adresse {time}, bevor sie Sie zurückbringen kann.",
    trustedNextRestBare: "Ist der Link geöffnet, ruht die Adresse, bevor sie Sie zurückbringen kann.",
    trustedNextOld: "Bis dahin bleibt {email} Ihre Vertrauensadresse.",
    trustedSend: "Link senden",
    trustedSent: "Wir haben einen Link an die neue Adresse gesendet.",
    trustedOffTitle: "Vertrauensadresse ausschalten?",
    trustedOffText: "{address} bringt Sie dann nicht mehr zurück und erhält keine Hinweise mehr. Eine letzte Mail dorthin sagt das.",
    trustedOffDo: "Ausschalten",
    trustedIsOff: "Die Vertrauensadresse ist aus.",
    trustedProve: "Vertrauensadresse bestätigen",
    trustedProveText: "Drücken Sie auf den Knopf, und dieses Postfach wird ein Weg zurück in Ihr Konto.",
    trustedProveNot: "Sie waren es nicht? Schließen Sie diese Seite. Ohne den Knopf ändert sich nichts.",
    trustedProveDo: "Adresse bestätigen",
    trustedProved: "Ihre Vertrauensadresse ist bestätigt",
    trustedCounts: "Jetzt ruht sie {time}. Erst danach kann sie Sie zurückbringen. Bis dahin können Sie sie ausschalten, falls Sie es nicht waren.",
    trustedCountsBare: "Jetzt ruht sie einige Tage. Erst danach kann sie Sie zurückbringen. Bis dahin können Sie sie ausschalten, falls Sie es nicht waren.",
    trustedCountsNow: "Sie kann Sie ab jetzt zurückbringen.",
    trustedNotices: "Ab jetzt erhält sie jeden Hinweis zur Sicherheit Ihres Kontos.",
    trustedSignIn: "Anmelden und ansehen",
    trustedGone: "Er wurde schon benutzt, durch einen neueren ersetzt oder ist abgelaufen. Die Sicherheitsseite zeigt, ob die Adresse bestätigt ist, und sendet einen neuen Link.",
    goCodes: "Ihre Notfallcodes",
    goTrusted: "Ihre Vertrauensadresse",
    goWays: "Ihre Notfallcodes und Ihre Vertrauensadresse",
    recover: "Zurück in Ihr Konto",
    recoverLink: "Andere Wege zurück",
    recoverText: "Wenn Sie sich nicht anmelden können, weil Passwort, Telefon oder Postfach verloren ist.",
    recoverNot: "Nichts verloren?",
    recoverWay: "Was haben Sie?",
    wayCode: "Einen Notfallcode",
    wayCodeHint: "Einen der zehn, die Sie gedruckt oder gespeichert haben",
    wayTrusted: "Meine Vertrauensadresse",
    wayTrustedHint: "Das zweite Postfach, das Sie dafür gewählt haben",
    backupCode: "Notfallcode",
    backupCodeHint: "12 Ziffern. Leerzeichen und Striche sind egal.",
    noPassword: "Ich habe keines oder es auch vergessen",
    whatNext: "Wie es weitergeht:",
    nextCode: "Sie schalten die verlorenen Anmeldeschritte aus, richten sie neu ein und können ein neues Passwort wählen. Der Code ist dann verbraucht.",
    nextCodeMail: "Wir senden einen Link an die E-Mail-Adresse Ihres Kontos. Mit ihm wählen Sie ein neues Passwort und schalten aus, was verloren ist. Erst dann ist der Code verbraucht.",
    nextTrusted: "Wir senden einen Link an Ihre Vertrauensadresse. Mit ihm wählen Sie ein neues Passwort; danach werden Ihre Anmeldeschritte abgefragt. Sind auch die verloren, sagt die Seite, wann Sie dafür wiederkommen können.",
    sentCode: "Wenn der Code stimmt, haben wir eine Mail an die Adresse dieses Kontos gesendet.",
    sentCodeNext: "Öffnen Sie den Link in der Mail: Dann wählen Sie ein neues Passwort und reparieren Ihre Anmeldeschritte.",
    sentTrusted: "Wenn dieses Konto eine Vertrauensadresse hat, haben wir eine Mail dorthin gesendet.",
    sentTrustedRest: "Eine neue Vertrauensadresse gilt erst {time}, nachdem Sie sie bestätigt haben.",
    sentTrustedNext: "Öffnen Sie den Link in der Mail: Dann wählen Sie ein neues Passwort.",
    sentRecoverAgain: "Wenn Ihre Angaben stimmen, ist eine neue Mail unterwegs.",
    otherWay: "Etwas anderes versuchen",
    linkDo: "Weiter",
    linkCodeText: "Drücken Sie auf den Knopf, um fortzufahren. Ihr Notfallcode ist damit verbraucht. Dann wählen Sie ein neues Passwort und reparieren Ihre Anmeldeschritte.",
    linkTrustedText: "Drücken Sie auf den Knopf, um fortzufahren. Dann wählen Sie ein neues Passwort.",
    allTold: "Jede Adresse Ihres Kontos bekommt eine Mail darüber.",
    recoverGone: "Er wurde schon benutzt, durch einen neueren ersetzt oder ist abgelaufen. Beginnen Sie von vorn, um einen neuen zu bekommen.",
    recoverDamaged: "Ein Teil der Adresse fehlt. Kopieren Sie den ganzen Link aus der Mail oder beginnen Sie von vorn.",
    recoverAnew: "Von vorn beginnen",
    repair: "Konto reparieren",
    proved: "Was Sie gezeigt haben",
    by_pwd: "Passwort",
    by_email: "Postfach",
    by_backup_code: "Notfallcode",
    by_trusted_email: "Vertrauensadresse",
    by_delay: "Wartezeit",
    repairUntil: "Dafür haben Sie bis {time} Uhr Zeit.",
    allToldNow: "Jede Adresse Ihres Kontos hat eine Mail darüber bekommen.",
    repairPasswordLead: "Wählen Sie zuerst ein neues Passwort. Schalten Sie dann die verlorenen Anmeldeschritte aus und richten Sie sie neu ein.",
    repairStepsLead: "Schalten Sie die verlorenen Anmeldeschritte aus und richten Sie sie neu ein. Ihre Dateien warten, bis einer an ist oder Sie ein neues Passwort gewählt haben.",
    repairWeakLead: "Wählen Sie ein neues Passwort. Danach werden Ihre Anmeldeschritte abgefragt, wie immer.",
    repairWhole: "Sie sind zurück. Sehen Sie Ihre Anmeldeschritte noch einmal an: Jeder, der an ist, wird bei der nächsten Anmeldung abgefragt.",
    repairPasswordFirst: "Ein neues meldet Sie auf allen anderen Geräten ab.",
    repairPasswordToo: "Falls jemand Ihr Passwort kennen könnte. Ein neues meldet Sie auf allen anderen Geräten ab.",
    repairPasswordWeak: "Ein neues meldet Sie auf allen Geräten ab.",
    repairPasswordDone: "Ihr neues Passwort gilt. Auf allen anderen Geräten sind Sie abgemeldet.",
    repairSteps: "Anmeldeschritte",
    repairStepsText: "Was hier an ist, wird bei der nächsten Anmeldung abgefragt. Schalten Sie aus, was Sie nicht mehr können.",
    repairNot: "Noch ein Schritt zu Ihren Dateien",
    repairNotText: "Wählen Sie ein neues Passwort oder schalten Sie einen Anmeldeschritt ein.",
    repairReady: "Alles, wie es sein soll?",
    repairReadyText: "Sie bleiben bis {time} Uhr angemeldet. Danach melden Sie sich an wie immer.",
    repairDone: "Fertig",
    repairLost: "Auch die Anmeldeschritte verloren?",
    repairLostFrom: "Kommen Sie ab {time} wieder und lassen Sie sich noch einmal einen Link an Ihre Vertrauensadresse senden. Mit ihm schalten Sie die verlorenen Schritte aus. Bis dahin lässt sich das mit den Mails darüber stoppen, falls es jemand anders ist.",
    repairLostText: "Kommen Sie in einem Tag wieder und lassen Sie sich noch einmal einen Link an Ihre Vertrauensadresse senden. Mit ihm schalten Sie die verlorenen Schritte aus. Bis dahin lässt sich das mit den Mails darüber stoppen, falls es jemand anders ist.",
    stop: "Diesen Weg zurück stoppen?",
    stopText: "Der Knopf meldet alle aus Ihrem Konto ab, macht sein Passwort ungültig und entfernt Anmeldeschritte, Passkeys und verknüpfte Konten, die seit Beginn dieser Wiederherstellung eingerichtet wurden.",
    stopMine: "Wenn Sie selbst in das Konto zurückgekommen sind, schließen Sie diese Seite: Sie müssen nichts tun.",
    stopDo: "Stoppen",
    stopDone: "Der Weg zurück ist gestoppt",
    stopAdvice: "Niemand ist mehr in Ihrem Konto angemeldet, und sein Passwort gilt nicht mehr. Setzen Sie jetzt ein neues: Wir senden Ihnen dafür einen Link.",
    stopNext: "Neues Passwort setzen",
    stopGone: "Er wurde schon benutzt oder ist abgelaufen. Wenn jemand anders in Ihrem Konto sein könnte, setzen Sie ein neues Passwort: Das meldet alle Geräte ab.",
    forgotOther: "Auch das Postfach verloren?",
    forgot: "Passwort vergessen",
    forgotLink: "Passwort vergessen?",
    forgotText: "Geben Sie die E-Mail-Adresse Ihres Kontos ein. Wir senden Ihnen einen Link, mit dem Sie ein neues Passwort wählen.",
    email: "E-Mail",
    send: "Link senden",
    remembered: "Wieder eingefallen?",
    sent: "Sehen Sie in Ihr Postfach",
    forgotSent: "Wenn es ein Konto mit {email} gibt, haben wir eine Mail dorthin gesendet.",
    forgotNext: "Öffnen Sie den Link in der Mail, um ein neues Passwort zu wählen.",
    forgotAgain: "Wenn es ein Konto mit dieser Adresse gibt, ist eine neue Mail unterwegs.",
    lives: "Der Link gilt {time}.",
    noMail: "Keine Mail? Sehen Sie im Spam-Ordner nach.",
    otherEmail: "Andere E-Mail-Adresse verwenden",
    newLink: "Neuen Link senden",
    reset: "Neues Passwort wählen",
    resetText: "Mit ihm sind Sie hier angemeldet und auf allen anderen Geräten abgemeldet.",
    newPassword: "Neues Passwort",
    resetDo: "Neues Passwort setzen",
    resetDone: "Ihr neues Passwort gilt.",
    resetGone: "Er wurde schon benutzt oder ist abgelaufen, oder Sie haben einen anderen benutzt. Wenn Sie ein neues Passwort gesetzt haben, melden Sie sich damit an. Wenn nicht, lassen Sie sich einen neuen Link senden.",
    resetDamaged: "Ein Teil der Adresse fehlt. Kopieren Sie den ganzen Link aus der Mail oder lassen Sie sich einen neuen senden.",
    activate: "Konto aktivieren",
    activateAsk: "Um ein deaktiviertes Konto zurückzuholen, zeigen Sie, dass es Ihres ist. Wir senden einen Link an seine E-Mail-Adresse.",
    activateLed: "Ihr Konto ist deaktiviert. Wir senden einen Link an seine E-Mail-Adresse, und mit ihm holen Sie das Konto zurück.",
    activateOnce: "Ihr Konto ist deaktiviert. Bestätigen Sie noch einmal, dass Sie es sind. Dann senden wir einen Link an seine E-Mail-Adresse, und mit ihm holen Sie das Konto zurück.",
    activateShown: "Sie haben mit {name} bestätigt, dass Sie es sind. Ihr Konto ist deaktiviert: Wir senden einen Link an seine E-Mail-Adresse, und mit ihm holen Sie das Konto zurück.",
    identifier: "E-Mail oder Benutzername",
    password: "Passwort",
    activateNone: "Kein Passwort, oder vergessen?",
    activateNoneDo: "Wählen Sie zuerst eines per E-Mail",
    notDeactivated: "Nicht deaktiviert?",
    activateSent: "Wenn Ihr Konto deaktiviert ist, haben wir eine Mail an seine Adresse gesendet.",
    activateNext: "Öffnen Sie den Link in der Mail, um das Konto zurückzuholen.",
    activateAgain: "Wenn Ihr Konto deaktiviert ist, ist eine neue Mail unterwegs.",
    activateText: "Drücken Sie auf den Knopf, und Ihr Konto ist wie zuvor. Sie sind dann hier angemeldet.",
    activateDo: "Mein Konto aktivieren",
    activateDone: "Ihr Konto ist wieder aktiv.",
    activateGone: "Er wurde schon benutzt, durch einen neueren ersetzt oder ist abgelaufen. Wenn Ihr Konto wieder aktiv ist, melden Sie sich an. Wenn nicht, lassen Sie sich einen neuen Link senden.",
    activateDamaged: "Ein Teil der Adresse fehlt. Kopieren Sie den ganzen Link aus der Mail oder lassen Sie sich einen neuen senden."
  }
});
var problems10 = catalog({
  en: {
    backup_codes_enabled: "Backup codes are on already. Show them, or make new ones.",
    backup_codes_off: "Backup codes are off. Turn them on first.",
    nothing_to_confirm: "These codes have waited too long, or were replaced. Close this and make new ones.",
    needs_two_layers: "A way back in needs two sign-in steps. Turn them on first.",
    trusted_is_primary: "This is the address that you sign in with by now. A trusted address is another mailbox.",
    field_is_primary: "This is the address that you sign in with. Give another mailbox.",
    field_is_trusted: "This is your trusted address. Turn that off first, or give another address.",
    code_replaced: "This backup code was replaced by newer ones. Take one from your newest list.",
    code_used: "This backup code was used already. Take another one from your list.",
    recovery_waits: "With the trusted address alone, sign-in steps cannot be changed yet. The page of your first link says from when on they can.",
    recovery_session: "So far you can only repair your account. Choose a new password or turn a sign-in step on first.",
    field_invalid_backup_code: "A backup code has 12 digits.",
    not_signed_in: "That is done, but you could not be signed in. Sign in now."
  },
  de: {
    backup_codes_enabled: "Notfallcodes sind schon an. Sehen Sie sie an, oder legen Sie neue an.",
    backup_codes_off: "Notfallcodes sind aus. Schalten Sie sie zuerst ein.",
    nothing_to_confirm: "Diese Codes haben zu lange gewartet oder wurden ersetzt. Schließen Sie das Fenster und legen Sie neue an.",
    needs_two_layers: "Ein Weg zurück braucht zwei Anmeldeschritte. Schalten Sie diese zuerst ein.",
    trusted_is_primary: "Mit dieser Adresse melden Sie sich inzwischen an. Eine Vertrauensadresse ist ein anderes Postfach.",
    field_is_primary: "Mit dieser Adresse melden Sie sich an. Geben Sie ein anderes Postfach an.",
    field_is_trusted: "Das ist Ihre Vertrauensadresse. Schalten Sie diese zuerst aus, oder geben Sie eine andere Adresse an.",
    code_replaced: "Dieser Notfallcode wurde durch neuere ersetzt. Nehmen Sie einen von Ihrer neuesten Liste.",
    code_used: "Dieser Notfallcode wurde schon benutzt. Nehmen Sie einen anderen von Ihrer Liste.",
    recovery_waits: "Mit der Vertrauensadresse allein lassen sich Anmeldeschritte noch nicht ändern. Die Seite Ihres ersten Links sagt, ab wann.",
    recovery_session: "Bisher können Sie nur Ihr Konto reparieren. Wählen Sie zuerst ein neues Passwort oder schalten Sie einen Anmeldeschritt ein.",
    field_invalid_backup_code: "Ein Notfallcode hat 12 Ziffern.",
    not_signed_in: "Das ist geschehen, aber Sie konnten nicht angemeldet werden. Melden Sie sich jetzt an."
  }
});

// src/recovery/sent.tsx
function Sent({ text: text2, next, send: send4, again: again3, children }) {
  const lives = useSettings()?.link_seconds;
  A2(focusMain, []);
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "mail" }) }),
    /* @__PURE__ */ a4("h1", { children: t13("sent") }),
    /* @__PURE__ */ a4("p", { children: text2 }),
    /* @__PURE__ */ a4("p", { children: [
      next,
      " ",
      lives && t13("lives", { time: duration(lives) })
    ] }),
    /* @__PURE__ */ a4("div", { class: "form-actions", children: [
      /* @__PURE__ */ a4(SendAgain, { send: async () => {
        await send4();
        return again3;
      } }),
      /* @__PURE__ */ a4(SignInLink, { class: "button" })
    ] }),
    /* @__PURE__ */ a4("p", { class: "aside", children: [
      t13("noMail"),
      " ",
      children
    ] })
  ] });
}

// src/recovery/typed.ts
var typed;
function setTyped(what) {
  typed = what;
}
function takeTyped() {
  const was = typed;
  typed = void 0;
  return was ?? { identifier: "" };
}

// src/recovery/activate.tsx
function Activate2() {
  const link = useOneTime("/auth/activate/check");
  const [anew, setAnew] = d2(false);
  if (anew || !(link.token || link.dead)) return /* @__PURE__ */ a4(Ask2, { moved: anew });
  if (link.dead) {
    return /* @__PURE__ */ a4(DeadLink, { dead: link.dead, gone: t13("activateGone"), damaged: t13("activateDamaged"), children: /* @__PURE__ */ a4("div", { class: "form-actions", children: [
      /* @__PURE__ */ a4("button", { type: "button", class: "button primary", onClick: () => setAnew(true), children: t13("newLink") }),
      /* @__PURE__ */ a4(SignInLink, { class: "button" })
    ] }) });
  }
  return /* @__PURE__ */ a4("div", { class: "card narrow centre", children: [
    /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "user" }) }),
    /* @__PURE__ */ a4("h1", { children: t13("activate") }),
    /* @__PURE__ */ a4("p", { children: t13("activateText") }),
    /* @__PURE__ */ a4(Form, { submit: t13("activateDo"), onSubmit: () => enterBy(link, (token2, opening2) => post("/auth/activate/confirm", { open: true, body: { token: token2, ...opening2 } }), t13("activateDone")), children: null })
  ] });
}
function Ask2({ moved: moved4 }) {
  const [{ identifier, password, shown: shown2, way: First }] = d2(takeTyped);
  const [sent, setSent] = d2();
  const end4 = useEnd();
  A2(() => {
    if (moved4) focusMain();
  }, []);
  async function onSend(send4) {
    await send4(end4);
    setSent(() => send4);
  }
  if (sent) {
    return /* @__PURE__ */ a4(Sent, { text: t13("activateSent"), next: t13("activateNext"), send: () => sent(end4), again: t13("activateAgain"), children: null });
  }
  if (shown2) {
    return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
      /* @__PURE__ */ a4("h1", { children: t13("activate") }),
      /* @__PURE__ */ a4("p", { class: "address-line", children: t13("activateShown", { name: shown2.by }) }),
      /* @__PURE__ */ a4(Form, { submit: t13("send"), onSubmit: () => onSend(shown2.send), children: null }),
      /* @__PURE__ */ a4("p", { class: "aside", children: [
        t13("notDeactivated"),
        " ",
        /* @__PURE__ */ a4(SignInLink, {})
      ] })
    ] });
  }
  const form = /* @__PURE__ */ a4(Form, { submit: t13("send"), quiet: First !== void 0, onSubmit: (v4) => onSend(() => post("/auth/activate", { open: true, body: { identifier: v4.identifier, password: v4.password } })), children: [
    /* @__PURE__ */ a4(Field, { name: "identifier", label: t13("identifier"), autoComplete: "username", required: true, spellcheck: false, value: identifier, autoFocus: !identifier && !moved4 && !First }),
    /* @__PURE__ */ a4(Password, { name: "password", label: t13("password"), autoComplete: "current-password", required: true, value: password })
  ] });
  const others2 = collect((room) => room.activate).filter(({ Way: Way3 }) => Way3 !== First).map(({ Way: Way3, order }) => /* @__PURE__ */ a4(Way3, { onSend }, order));
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("h1", { children: t13("activate") }),
    /* @__PURE__ */ a4("p", { children: t13(First ? "activateOnce" : password ? "activateLed" : "activateAsk") }),
    First ? /* @__PURE__ */ a4(First, { main: true, onSend }) : form,
    !password && /* @__PURE__ */ a4(Others, { children: [
      First && form,
      others2
    ] }),
    /* @__PURE__ */ a4("div", { class: "aside ways", children: [
      !password && /* @__PURE__ */ a4("p", { children: [
        t13("activateNone"),
        " ",
        /* @__PURE__ */ a4("a", { href: "/forgot", children: t13("activateNoneDo") })
      ] }),
      /* @__PURE__ */ a4("p", { children: [
        t13("notDeactivated"),
        " ",
        /* @__PURE__ */ a4(SignInLink, {})
      ] })
    ] })
  ] });
}

// src/recovery/paper.tsx
function Paper2({ codes: codes2, made: made3 = (/* @__PURE__ */ new Date()).toISOString() }) {
  const good = codes2.filter((c4) => !c4.used_at).map((c4) => grouped(c4.code));
  const name = auth.value.is === "in" ? auth.value.account.username : "";
  const heading = [t13("paperTitle", { username: name }), t13("paperMade", { date: date(made3) })];
  return /* @__PURE__ */ a4("div", { class: "paper", children: [
    /* @__PURE__ */ a4("div", { class: "paper-head", children: [
      /* @__PURE__ */ a4("h3", { children: heading[0] }),
      /* @__PURE__ */ a4("p", { children: heading[1] })
    ] }),
    /* @__PURE__ */ a4("ol", { class: "codes", children: codes2.map(({ code, used_at }) => /* @__PURE__ */ a4("li", { class: used_at && "codes-used", children: used_at ? /* @__PURE__ */ a4($, { children: [
      /* @__PURE__ */ a4("s", { children: grouped(code) }),
      " ",
      /* @__PURE__ */ a4("span", { class: "hint", children: [
        t13("codesUsed"),
        " ",
        /* @__PURE__ */ a4(Time, { at: used_at, children: date(used_at) })
      ] })
    ] }) : /* @__PURE__ */ a4("span", { children: grouped(code) }) }, code)) }),
    /* @__PURE__ */ a4("p", { class: "paper-foot", children: t13("paperFoot", { address: location.host }) }),
    good.length > 0 && /* @__PURE__ */ a4("div", { class: "paper-tools", children: [
      /* @__PURE__ */ a4(Copy, { text: good.join("\n") }),
      /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => save3(`coffer-${t13("paperFile")}-${name}.txt`, [...heading, "", ...good, "", t13("paperFoot", { address: location.host }), ""].join("\r\n")), children: [
        /* @__PURE__ */ a4(Icon, { name: "download" }),
        " ",
        t13("codesText")
      ] }),
      /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => print(), children: [
        /* @__PURE__ */ a4(Icon, { name: "print" }),
        " ",
        t13("codesPrint")
      ] })
    ] })
  ] });
}
var grouped = (code) => code.replace(/(.{4})(?=.)/g, "$1 ");
function save3(name, text2) {
  const url = URL.createObjectURL(new Blob([text2], { type: "text/plain;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 6e4);
}

// src/recovery/trusted.tsx
function TrustedAddress({ status, may }) {
  const line = status.data.trusted_email;
  const { data: known3, reload, set } = useLoad((signal) => get("/account/trusted-email", { quiet: true, signal }).catch((err2) => {
    if (err2 instanceof Problem && err2.code === "step_up_required") return void 0;
    throw err2;
  }), []);
  const [wish, setWish] = d2();
  const [busy3, setBusy] = d2(false);
  const close = () => setWish(void 0);
  const pending = known3?.pending_email;
  const resting = known3?.usable_from && Date.parse(known3.usable_from) > serverNow() ? known3.usable_from : void 0;
  const on = line.enabled || known3?.email !== void 0;
  A2(() => {
    if (!pending) return;
    const seen = () => {
      if (document.visibilityState !== "visible") return;
      void reload();
      void status.reload();
    };
    document.addEventListener("visibilitychange", seen);
    return () => document.removeEventListener("visibilitychange", seen);
  }, [pending]);
  async function read7(then) {
    if (busy3) return;
    setBusy(true);
    try {
      set(await get("/account/trusted-email"));
      setWish(then);
    } catch (err2) {
      toastProblem(err2);
    } finally {
      setBusy(false);
    }
  }
  async function changed3(said) {
    toast(said);
    await Promise.all([reload(), status.reload()]);
  }
  async function ask4(email) {
    await put("/account/trusted-email", { body: { email } });
  }
  return /* @__PURE__ */ a4(
    Way2,
    {
      id: "trusted-email",
      title: t13("trusted"),
      good: on && !resting,
      tag: resting ? t13("trustedRests") : on ? t13("waysOn") : pending ? t13("trustedWaits") : t13("waysOff"),
      text: /* @__PURE__ */ a4($, { children: [
        /* @__PURE__ */ a4("p", { class: "hint address-line", children: !on ? t13("trustedOff") : t13("trustedOn", { address: known3?.email ?? whole6(line.hint ?? "") }) }),
        resting ? /* @__PURE__ */ a4("p", { class: "hint", children: t13("trustedFrom", { time: dateTime(resting) }) }) : /* @__PURE__ */ a4(Used, { line })
      ] }),
      buttons: (on || may) && /* @__PURE__ */ a4($, { children: [
        on && !known3 && /* @__PURE__ */ a4("button", { type: "button", class: "button", "aria-disabled": busy3, onClick: () => read7(), children: t13("trustedShow") }),
        may && /* @__PURE__ */ a4("button", { type: "button", class: "button", "aria-disabled": busy3, onClick: () => read7("set"), children: on ? t13("trustedChange") : pending ? t13("trustedOther") : t13("trustedSet") }),
        on && /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => setWish("off"), children: t13("trustedTurnOff") })
      ] }),
      children: [
        pending && /* @__PURE__ */ a4("div", { class: "notice", role: "status", children: [
          /* @__PURE__ */ a4(Icon, { name: "mail" }),
          /* @__PURE__ */ a4("div", { children: [
            /* @__PURE__ */ a4("p", { class: "address-line", children: known3?.email ? t13("trustedPendingNext", { pending, email: known3.email }) : t13("trustedPending", { pending }) }),
            /* @__PURE__ */ a4("div", { class: "card-buttons", children: [
              /* @__PURE__ */ a4(SendAgain, { send: async () => {
                await ask4(pending);
                return t13("trustedSentAgain");
              } }, pending),
              !known3?.email && /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: async () => {
                try {
                  await del("/account/trusted-email");
                  await changed3(t13("trustedTakenBack"));
                } catch (err2) {
                  toastProblem(err2);
                }
              }, children: t13("trustedTakeBack") })
            ] })
          ] })
        ] }),
        wish === "set" && /* @__PURE__ */ a4(Dialog, { title: on ? t13("trustedChangeTitle") : t13("trustedSetTitle"), onClose: close, children: /* @__PURE__ */ a4(Ask3, { present: known3?.email, onClose: close, onAsk: async (email) => {
          await ask4(email);
          close();
          await changed3(t13("trustedSent"));
        } }) }),
        wish === "off" && /* @__PURE__ */ a4(Confirm, { title: t13("trustedOffTitle"), action: t13("trustedOffDo"), onClose: close, onConfirm: async () => {
          await del("/account/trusted-email");
          close();
          await changed3(t13("trustedIsOff"));
        }, children: /* @__PURE__ */ a4("p", { class: "address-line", children: t13("trustedOffText", { address: known3?.email ?? whole6(line.hint ?? "") }) }) })
      ]
    }
  );
}
function Ask3({ present, onAsk, onClose }) {
  const rest = useSettings()?.trusted_rest_seconds;
  return /* @__PURE__ */ a4(Form, { submit: t13("trustedSend"), onCancel: onClose, onSubmit: (v4) => onAsk(v4.email), children: [
    /* @__PURE__ */ a4(Field, { name: "email", label: t13("trustedEmail"), type: "email", inputMode: "email", autoComplete: "email", required: true, autoFocus: true, spellcheck: false, hint: t13("trustedEmailHint") }),
    /* @__PURE__ */ a4("ul", { class: "next-steps hint", children: [
      /* @__PURE__ */ a4("li", { children: t13("trustedNextLink") }),
      rest !== 0 && /* @__PURE__ */ a4("li", { children: rest ? t13("trustedNextRest", { time: duration(rest) }) : t13("trustedNextRestBare") }),
      present && /* @__PURE__ */ a4("li", { class: "address-line", children: t13("trustedNextOld", { email: present }) })
    ] })
  ] });
}
var whole6 = (address3) => address3.replace("…", "…⁠");

// src/recovery/ways-back.tsx
var needed = 2;
function WaysBack({ status }) {
  const { data, problem: problem2 } = status;
  const missing = data ? Math.max(0, needed - stepsOf(data, true).length) : 0;
  const next = data && stepsOf(data, false)[0];
  return /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": "ways-back", children: [
    /* @__PURE__ */ a4("div", { children: [
      /* @__PURE__ */ a4("h2", { id: "ways-back", children: t13("waysBack") }),
      /* @__PURE__ */ a4("p", { class: "hint", children: t13("waysBackHint") })
    ] }),
    data && missing > 0 && /* @__PURE__ */ a4("div", { class: "notice", children: [
      /* @__PURE__ */ a4(Icon, { name: "shield" }),
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("p", { children: t13("waysNeed", { count: missing }) }),
        next && /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => leadToStep(next), children: t13("waysNeedDo") })
      ] })
    ] }),
    !data && !problem2 && /* @__PURE__ */ a4(Skeleton, { rows: 2 }),
    data?.backup_codes && /* @__PURE__ */ a4(BackupCodes, { status, may: missing === 0 }),
    data?.trusted_email && /* @__PURE__ */ a4(TrustedAddress, { status, may: missing === 0 })
  ] });
}
function Way2({ id, title, tag, good, text: text2, buttons, children }) {
  const box = T2(null);
  const held4 = T2(false);
  A2(() => {
    if (held4.current && document.activeElement === document.body) box.current.querySelector(".button")?.focus();
    held4.current = box.current.contains(document.activeElement);
  });
  return /* @__PURE__ */ a4("div", { class: "way", ref: box, role: "group", "aria-labelledby": id, children: [
    /* @__PURE__ */ a4("div", { children: [
      /* @__PURE__ */ a4("h3", { id, children: [
        title,
        " ",
        tag && /* @__PURE__ */ a4("span", { class: good ? "tag good" : "tag", children: tag })
      ] }),
      text2
    ] }),
    buttons && /* @__PURE__ */ a4("div", { class: "card-buttons", children: buttons }),
    children
  ] });
}

// src/recovery/backup.tsx
var wanted2 = y3(false);
var setUp = () => void (wanted2.value = true);
function BackupCodes({ status, may }) {
  const [wish, setWish] = d2();
  const [waiting3, setWaiting] = d2();
  const [busy3, setBusy] = d2(false);
  const line = status.data.backup_codes;
  const on = line.enabled;
  async function open2(work4) {
    if (busy3) return;
    setBusy(true);
    try {
      setWish(await work4());
    } catch (err2) {
      toastProblem(err2);
      void status.reload();
    } finally {
      setBusy(false);
    }
  }
  const make3 = () => open2(async () => {
    const { codes: codes2 } = await (on ? post("/account/backup-codes/regenerate") : post("/account/backup-codes"));
    setWaiting(void 0);
    return { is: "fresh", made: { codes: codes2, renewed: on } };
  });
  const show4 = () => open2(async () => ({ is: "known", known: await get("/account/backup-codes") }));
  A2(() => {
    if (!wanted2.value) return;
    wanted2.value = false;
    void make3();
  }, [wanted2.value]);
  async function done(said) {
    setWish(void 0);
    setWaiting(void 0);
    toast(said);
    await status.reload();
  }
  return /* @__PURE__ */ a4(
    Way2,
    {
      id: "backup-codes",
      title: t13("codes"),
      tag: on ? t13("waysOn") : t13("waysOff"),
      good: on,
      text: /* @__PURE__ */ a4($, { children: [
        /* @__PURE__ */ a4("p", { class: "hint", children: on ? codesLeft(line) : t13("codesOff") }),
        /* @__PURE__ */ a4(Used, { line })
      ] }),
      buttons: on ? /* @__PURE__ */ a4($, { children: [
        /* @__PURE__ */ a4("button", { type: "button", class: "button", "aria-disabled": busy3, onClick: show4, children: t13("codesShow") }),
        /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => setWish({ is: "off" }), children: t13("codesTurnOff") })
      ] }) : may && /* @__PURE__ */ a4("button", { type: "button", class: "button", "aria-disabled": busy3, onClick: make3, children: t13("codesMake") }),
      children: [
        waiting3 && /* @__PURE__ */ a4("div", { class: "notice", role: "status", children: [
          /* @__PURE__ */ a4(Icon, { name: "warning" }),
          /* @__PURE__ */ a4("div", { children: [
            /* @__PURE__ */ a4("p", { children: waiting3.renewed ? t13("codesNotNew") : t13("codesNotOn") }),
            /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => setWish({ is: "fresh", made: waiting3 }), children: t13("codesAgain") })
          ] })
        ] }),
        wish?.is === "fresh" && /* @__PURE__ */ a4(Fresh, { made: wish.made, onClose: () => {
          setWish(void 0);
          setWaiting(wish.made);
        }, onDone: () => done(wish.made.renewed ? t13("codesRenewed") : t13("codesAreOn")) }),
        wish?.is === "known" && /* @__PURE__ */ a4(Dialog, { title: t13("codesYours"), onClose: () => setWish(void 0), children: /* @__PURE__ */ a4(KnownCodes, { known: wish.known, make: may ? make3 : void 0, confirm: () => setWish({ is: "fresh", made: { codes: wish.known.pending, renewed: true } }) }) }),
        wish?.is === "off" && /* @__PURE__ */ a4(Confirm, { title: t13("codesOffTitle"), action: t13("codesOffDo"), onClose: () => setWish(void 0), onConfirm: async () => {
          await del("/account/backup-codes");
          await done(t13("codesAreOff"));
        }, children: /* @__PURE__ */ a4("p", { children: t13("codesOffText") }) })
      ]
    }
  );
}
function codesLeft({ left: left2 }) {
  if (left2 === void 0) return t13("codesOn");
  return left2 === 0 ? t13("codesNone") : t13("codesLeft", { count: left2 });
}
function Fresh({ made: { codes: codes2, renewed }, onClose, onDone }) {
  return /* @__PURE__ */ a4(Dialog, { title: renewed ? t13("codesSaveNew") : t13("codesSave"), onClose, children: /* @__PURE__ */ a4(Form, { submit: t13("codesSaved"), onCancel: onClose, onSubmit: async () => {
    await post("/account/backup-codes/confirm");
    await onDone();
  }, children: [
    /* @__PURE__ */ a4("p", { children: t13("codesKeep") }),
    /* @__PURE__ */ a4(Paper2, { codes: codes2.map((code) => ({ code })) }),
    /* @__PURE__ */ a4("p", { children: renewed ? t13("codesOldGood") : t13("codesNotYet") })
  ] }) });
}
function KnownCodes({ known: known3, make: make3, confirm }) {
  return /* @__PURE__ */ a4("div", { class: "form", children: [
    known3.pending.length > 0 && /* @__PURE__ */ a4("div", { class: "notice", children: /* @__PURE__ */ a4("div", { children: [
      /* @__PURE__ */ a4("p", { children: t13("codesPending") }),
      /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: confirm, children: t13("codesPendingDo") })
    ] }) }),
    /* @__PURE__ */ a4("p", { class: "hint", children: t13("codesOnce") }),
    /* @__PURE__ */ a4(Paper2, { codes: known3.codes, made: known3.confirmed_at }),
    make3 && /* @__PURE__ */ a4("div", { class: "form-actions", children: /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: make3, children: t13("codesNew") }) })
  ] });
}

// src/recovery/forgot.tsx
function Forgot() {
  const [email, setEmail] = d2(known);
  const [sent, setSent] = d2(false);
  const send4 = (to) => post("/auth/password/forgot", { open: true, body: { email: to } });
  if (sent) {
    return /* @__PURE__ */ a4(Sent, { text: t13("forgotSent", { email }), next: t13("forgotNext"), send: () => send4(email), again: t13("forgotAgain"), children: /* @__PURE__ */ a4("button", { type: "button", class: "link", onClick: () => setSent(false), children: t13("otherEmail") }) });
  }
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("h1", { children: t13("forgot") }),
    /* @__PURE__ */ a4("p", { children: t13("forgotText") }),
    /* @__PURE__ */ a4(Form, { submit: t13("send"), onSubmit: async (v4) => {
      await send4(v4.email);
      setEmail(v4.email);
      setSent(true);
    }, children: /* @__PURE__ */ a4(Field, { name: "email", label: t13("email"), type: "email", inputMode: "email", autoComplete: "email", required: true, spellcheck: false, autoFocus: true, value: email }) }),
    /* @__PURE__ */ a4("div", { class: "aside ways", children: [
      /* @__PURE__ */ a4("p", { children: [
        t13("forgotOther"),
        " ",
        /* @__PURE__ */ a4("a", { href: "/recover", children: t13("recoverLink") })
      ] }),
      !me() && /* @__PURE__ */ a4("p", { children: [
        t13("remembered"),
        " ",
        /* @__PURE__ */ a4(SignInLink, {})
      ] })
    ] })
  ] });
}
function known() {
  const { identifier } = takeTyped();
  if (identifier.includes("@")) return identifier;
  return me()?.email ?? "";
}

// src/recovery/loss.tsx
function WaysGo() {
  const { data } = useLoad((signal) => get("/account/security", { signal }), []);
  const codes2 = data?.backup_codes?.enabled;
  const trusted = data?.trusted_email?.enabled;
  if (!codes2 && !trusted) return null;
  return /* @__PURE__ */ a4("li", { children: codes2 && trusted ? t13("goWays") : codes2 ? t13("goCodes") : t13("goTrusted") });
}

// src/recovery/recover.tsx
function Recover() {
  const [way] = d2(wayOfLink);
  const [anew, setAnew] = d2(false);
  if (way && !anew) return /* @__PURE__ */ a4(Linked, { way, onAnew: () => setAnew(true) });
  return /* @__PURE__ */ a4(Ask4, { moved: anew });
}
function wayOfLink() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const way = location.hash ? fragment.get("way") : entry2().way;
  if (location.hash && !fragment.get("token")) return void 0;
  return way === "backup-code" || way === "trusted-email" ? way : location.hash ? "backup-code" : void 0;
}
var entry2 = () => history.state ?? {};
var keep2 = (part) => history.replaceState({ ...entry2(), ...part }, "");
var calls = {
  "backup-code": { confirm: "/auth/recovery/backup-code/confirm", check: "/auth/recovery/backup-code/confirm/check" },
  "trusted-email": { confirm: "/auth/recovery/trusted-email/confirm", check: "/auth/recovery/trusted-email/confirm/check" }
};
function Linked({ way, onAnew }) {
  const { confirm, check: check2 } = calls[way];
  const link = useOneTime(check2);
  A2(() => keep2({ way }), []);
  if (link.dead || !link.token) {
    return /* @__PURE__ */ a4(DeadLink, { dead: link.dead ?? "damaged", gone: t13("recoverGone"), damaged: t13("recoverDamaged"), children: /* @__PURE__ */ a4("div", { class: "form-actions", children: [
      /* @__PURE__ */ a4("button", { type: "button", class: "button primary", onClick: onAnew, children: t13("recoverAnew") }),
      /* @__PURE__ */ a4(SignInLink, { class: "button" })
    ] }) });
  }
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "shield" }) }),
    /* @__PURE__ */ a4("h1", { children: t13("recover") }),
    /* @__PURE__ */ a4("p", { children: way === "backup-code" ? t13("linkCodeText") : t13("linkTrustedText") }),
    /* @__PURE__ */ a4("p", { class: "hint", children: t13("allTold") }),
    /* @__PURE__ */ a4(Form, { submit: t13("linkDo"), onSubmit: async () => {
      await enterBy(link, (token2, opening2) => post(confirm, { open: true, body: { token: token2, ...opening2 } })).catch(toActivation(""));
    }, children: null })
  ] });
}
function toActivation(identifier, password) {
  return (err2) => {
    if (!(err2 instanceof Problem) || err2.code !== "account_deactivated") throw err2;
    setTyped({ identifier, password });
    go("/activate");
    toast(say(err2), true);
  };
}
function Ask4({ moved: moved4 }) {
  const [choice, setChoice] = d2(known2);
  const [sent, setSent] = d2();
  const typed2 = T2({ code: "", password: "" });
  const rests = useSettings()?.trusted_rest_seconds;
  const { by, forgot } = choice;
  A2(() => {
    if (moved4) focusMain();
  }, []);
  function change(part) {
    const next = { ...choice, ...part };
    setChoice(next);
    keep2({ way: void 0, recover: next });
  }
  if (sent) {
    const trusted = by === "trusted-email";
    return /* @__PURE__ */ a4(Sent, { text: trusted ? [t13("sentTrusted"), rests && t13("sentTrustedRest", { time: duration(rests) })].filter(Boolean).join(" ") : t13("sentCode"), next: trusted ? t13("sentTrustedNext") : t13("sentCodeNext"), send: sent, again: t13("sentRecoverAgain"), children: /* @__PURE__ */ a4("button", { type: "button", class: "link", onClick: () => setSent(void 0), children: t13("otherWay") }) });
  }
  const mailed = by === "trusted-email" || forgot;
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("h1", { children: t13("recover") }),
    /* @__PURE__ */ a4("p", { children: t13("recoverText") }),
    /* @__PURE__ */ a4(Form, { asks: `${by} ${forgot}`, submit: mailed ? t13("send") : t13("linkDo"), onSubmit: async (v4) => {
      const identifier = v4.identifier;
      if (by === "trusted-email") {
        const send4 = () => post("/auth/recovery/trusted-email", { open: true, body: { identifier } });
        await send4();
        return setSent(() => send4);
      }
      const code = v4.code.replace(/[\s\p{Dash}]/gu, "");
      if (forgot) {
        const send4 = () => post("/auth/recovery/backup-code", { open: true, body: { identifier, code } });
        await send4();
        return setSent(() => send4);
      }
      const body = { identifier, code, password: v4.password, ...await keeper().opening() };
      await post("/auth/recovery/backup-code", { open: true, body }).then(async (opened) => {
        if ("access_token" in opened) await keeper().enter(opened);
      }, toActivation(identifier, v4.password));
    }, children: [
      /* @__PURE__ */ a4(Field, { name: "identifier", label: t13("identifier"), autoComplete: "username", required: true, spellcheck: false, value: choice.identifier, autoFocus: !choice.identifier && !moved4, onInput: (identifier) => change({ identifier }) }),
      /* @__PURE__ */ a4("fieldset", { class: "choice", children: [
        /* @__PURE__ */ a4("legend", { children: t13("recoverWay") }),
        ["backup-code", "trusted-email"].map((way) => /* @__PURE__ */ a4("label", { children: [
          /* @__PURE__ */ a4("input", { type: "radio", name: "way", value: way, checked: by === way, onChange: () => change({ by: way }) }),
          /* @__PURE__ */ a4("span", { children: [
            way === "backup-code" ? t13("wayCode") : t13("wayTrusted"),
            " ",
            /* @__PURE__ */ a4("span", { class: "hint", children: way === "backup-code" ? t13("wayCodeHint") : t13("wayTrustedHint") })
          ] })
        ] }, way))
      ] }),
      by === "backup-code" && /* @__PURE__ */ a4($, { children: [
        /* @__PURE__ */ a4(Field, { name: "code", label: t13("backupCode"), secret: true, class: "code backup-code", inputMode: "numeric", autoComplete: "off", required: true, maxLength: 30, spellcheck: false, value: typed2.current.code, hint: t13("backupCodeHint"), onInput: (code) => typed2.current.code = code }),
        !forgot && /* @__PURE__ */ a4(Password, { name: "password", label: t13("password"), autoComplete: "current-password", required: true, value: typed2.current.password, onInput: (password) => typed2.current.password = password }),
        /* @__PURE__ */ a4("label", { class: "choice-check", children: [
          /* @__PURE__ */ a4("input", { type: "checkbox", checked: forgot, onChange: () => change({ forgot: !forgot }) }),
          " ",
          t13("noPassword")
        ] })
      ] }),
      /* @__PURE__ */ a4("div", { class: "notice small", role: "status", children: /* @__PURE__ */ a4("p", { children: [
        /* @__PURE__ */ a4("strong", { children: t13("whatNext") }),
        " ",
        by === "trusted-email" ? t13("nextTrusted") : forgot ? t13("nextCodeMail") : t13("nextCode")
      ] }) })
    ] }),
    !me() && /* @__PURE__ */ a4("p", { class: "aside", children: [
      t13("recoverNot"),
      " ",
      /* @__PURE__ */ a4(SignInLink, {})
    ] })
  ] });
}
function known2() {
  const { identifier } = takeTyped();
  return entry2().recover ?? { identifier: identifier || (me()?.username ?? ""), by: "backup-code", forgot: false };
}

// src/recovery/repair.tsx
function Repair() {
  const state = auth.value;
  const recovered = "recovered" in state ? state.recovered : void 0;
  const strange = state.is === "in" && !recovered?.steps;
  A2(() => {
    if (strange) go(firstPlace(), { replace: true });
  }, [strange]);
  if (strange || !recovered || !("account" in state)) return /* @__PURE__ */ a4(Skeleton, {});
  const view = { account: state.account, recovered, whole: state.is === "in" };
  return recovered.steps ? /* @__PURE__ */ a4(Strong, { ...view }) : /* @__PURE__ */ a4(Weak, { ...view });
}
var methods = ["pwd", "email", "backup_code", "trusted_email", "delay"];
function Head2({ recovered, lead: lead2, whole: whole7 }) {
  return /* @__PURE__ */ a4("div", { class: "repair-head", children: [
    /* @__PURE__ */ a4("h1", { children: t13("repair") }),
    /* @__PURE__ */ a4("p", { children: lead2 }),
    /* @__PURE__ */ a4("ul", { class: "proved", "aria-label": t13("proved"), children: methods.filter((by) => recovered.by.includes(by)).map((by) => /* @__PURE__ */ a4("li", { children: [
      /* @__PURE__ */ a4(Icon, { name: "check" }),
      " ",
      t13(`by_${by}`)
    ] }, by)) }),
    /* @__PURE__ */ a4("p", { class: "hint", children: [
      !whole7 && t13("repairUntil", { time: clock(recovered.until) }),
      " ",
      t13("allToldNow")
    ] })
  ] });
}
function Strong({ account: account2, recovered, whole: whole7 }) {
  const status = useLoad((signal) => get("/account/security", { signal }), []);
  const [set, setSet] = d2(false);
  const first = !recovered.by.includes("pwd");
  const reload = async () => {
    if (auth.value.is === "repair") await keeper().level();
    await status.reload();
  };
  const password = /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": "repair-password", children: [
    /* @__PURE__ */ a4("div", { children: [
      /* @__PURE__ */ a4("h2", { id: "repair-password", children: t13("password") }),
      /* @__PURE__ */ a4("p", { class: "hint", children: set ? t13("repairPasswordDone") : first ? t13("repairPasswordFirst") : t13("repairPasswordToo") })
    ] }),
    !set && /* @__PURE__ */ a4(Change2, { account: account2, quiet: !first, onSet: () => {
      setSet(true);
      focusMain();
    } })
  ] });
  const steps3 = /* @__PURE__ */ a4("div", { class: "repair-steps", role: "group", "aria-labelledby": "repair-steps", children: [
    /* @__PURE__ */ a4("div", { children: [
      /* @__PURE__ */ a4("h2", { id: "repair-steps", children: t13("repairSteps") }),
      /* @__PURE__ */ a4("p", { class: "hint", children: t13("repairStepsText") })
    ] }),
    status.problem && /* @__PURE__ */ a4(Failed, { problem: status.problem, retry: status.reload }),
    collect((room) => room.layers && room.security).map(({ Section: Section6, order }) => /* @__PURE__ */ a4(Section6, { status: { ...status, reload } }, order))
  ] });
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4(Head2, { recovered, whole: whole7, lead: whole7 ? t13("repairWhole") : first ? t13("repairPasswordLead") : t13("repairStepsLead") }),
    first ? /* @__PURE__ */ a4($, { children: [
      password,
      steps3
    ] }) : /* @__PURE__ */ a4($, { children: [
      steps3,
      password
    ] }),
    collect((room) => room.security?.repairs ? room.security : void 0).map(({ Section: Section6, order }) => /* @__PURE__ */ a4(Section6, { status: { ...status, reload } }, order)),
    /* @__PURE__ */ a4("section", { class: "card repair-end", "aria-labelledby": "repair-end", children: [
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("h2", { id: "repair-end", children: whole7 ? t13("repairReady") : t13("repairNot") }),
        /* @__PURE__ */ a4("p", { class: "hint", children: whole7 ? t13("repairReadyText", { time: clock(recovered.until) }) : t13("repairNotText") })
      ] }),
      whole7 && /* @__PURE__ */ a4("button", { type: "button", class: "button primary", onClick: () => go(firstPlace(), { replace: true }), children: t13("repairDone") })
    ] })
  ] });
}
function Weak({ account: account2, recovered }) {
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4(Head2, { recovered, lead: t13("repairWeakLead") }),
    /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": "repair-password", children: [
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("h2", { id: "repair-password", children: t13("password") }),
        /* @__PURE__ */ a4("p", { class: "hint", children: t13("repairPasswordWeak") })
      ] }),
      /* @__PURE__ */ a4(Change2, { account: account2 })
    ] }),
    /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": "repair-lost", children: /* @__PURE__ */ a4("div", { children: [
      /* @__PURE__ */ a4("h2", { id: "repair-lost", children: t13("repairLost") }),
      /* @__PURE__ */ a4("p", { class: "hint", children: recovered.from ? t13("repairLostFrom", { time: dateTime(recovered.from) }) : t13("repairLostText") })
    ] }) })
  ] });
}
function Change2({ account: account2, quiet: quiet2, onSet }) {
  return /* @__PURE__ */ a4(Form, { submit: t13("resetDo"), quiet: quiet2, onSubmit: async (v4) => {
    const opened = await put("/account/password", { body: { new_password: v4.new_password } });
    if ("access_token" in opened && onSet) {
      await keeper().take(opened);
      onSet();
    } else {
      await keeper().enter(opened);
    }
    toast(t13("resetDone"));
  }, children: [
    /* @__PURE__ */ a4("input", { class: "hidden", type: "text", name: "username", autoComplete: "username", readOnly: true, tabIndex: -1, "aria-hidden": "true", value: account2.username }),
    /* @__PURE__ */ a4(NewPassword, { name: "new_password", label: t13("newPassword"), about: [account2.first_name, account2.last_name, account2.username, account2.email.split("@")[0]] })
  ] });
}

// src/recovery/reset.tsx
function Reset() {
  const link = useOneTime("/auth/password/reset/check");
  if (link.dead || !link.token) {
    return /* @__PURE__ */ a4(DeadLink, { dead: link.dead ?? "damaged", gone: t13("resetGone"), damaged: t13("resetDamaged"), children: /* @__PURE__ */ a4("div", { class: "form-actions", children: [
      /* @__PURE__ */ a4("a", { class: "button primary", href: "/forgot", children: t13("newLink") }),
      /* @__PURE__ */ a4(SignInLink, { class: "button" })
    ] }) });
  }
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "shield" }) }),
    /* @__PURE__ */ a4("h1", { children: t13("reset") }),
    /* @__PURE__ */ a4("p", { children: t13("resetText") }),
    /* @__PURE__ */ a4(Form, { submit: t13("resetDo"), onSubmit: async (v4) => {
      try {
        await enterBy(link, (token2, opening2) => post("/auth/password/reset", { open: true, body: { token: token2, password: v4.password, ...opening2 } }), t13("resetDone"));
      } catch (err2) {
        if (!(err2 instanceof Problem) || err2.code !== "account_deactivated") throw err2;
        link.used();
        setTyped({ identifier: "", password: v4.password });
        go("/activate", { replace: true });
        toast(t13("resetDone"));
      }
    }, children: /* @__PURE__ */ a4(NewPassword, { label: t13("newPassword"), stranger: true }) })
  ] });
}

// src/recovery/stop.tsx
function Stop() {
  const link = useOneTime("/auth/recovery/stop/check");
  const [done, setDone] = d2(false);
  A2(() => {
    if (done) focusMain();
  }, [done]);
  const newPassword = /* @__PURE__ */ a4("a", { class: "button primary", href: "/forgot", children: t13("stopNext") });
  if (done) {
    return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
      /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "shield" }) }),
      /* @__PURE__ */ a4("h1", { children: t13("stopDone") }),
      /* @__PURE__ */ a4("p", { children: t13("stopAdvice") }),
      /* @__PURE__ */ a4("div", { class: "form-actions", children: newPassword })
    ] });
  }
  if (link.dead || !link.token) {
    return /* @__PURE__ */ a4(DeadLink, { dead: link.dead ?? "damaged", gone: t13("stopGone"), children: /* @__PURE__ */ a4("div", { class: "form-actions", children: [
      newPassword,
      /* @__PURE__ */ a4(SignInLink, { class: "button" })
    ] }) });
  }
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "warning" }) }),
    /* @__PURE__ */ a4("h1", { children: t13("stop") }),
    /* @__PURE__ */ a4("p", { children: t13("stopText") }),
    /* @__PURE__ */ a4("p", { class: "hint", children: t13("stopMine") }),
    /* @__PURE__ */ a4(Form, { submit: t13("stopDo"), danger: true, onSubmit: async () => {
      if (!await link.use((token2) => post("/auth/recovery/stop", { open: true, body: { token: token2 } }))) return;
      setDone(true);
      if (me()) void get("/account").catch(() => void 0);
    }, children: null })
  ] });
}

// src/recovery/trusted-link.tsx
function TrustedLink() {
  const link = useOneTime("/auth/trusted-email/verify/check");
  const rest = useSettings()?.trusted_rest_seconds;
  const [done, setDone] = d2(false);
  A2(() => {
    if (done) focusMain();
  }, [done]);
  const security = securityPage();
  const way = security && /* @__PURE__ */ a4("div", { class: "form-actions", children: /* @__PURE__ */ a4("a", { class: "button primary", href: security.href, children: auth.value.is === "in" ? security.label() : t13("trustedSignIn") }) });
  const next = rest === 0 ? t13("trustedCountsNow") : rest ? t13("trustedCounts", { time: duration(rest) }) : t13("trustedCountsBare");
  if (done) {
    return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
      /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "check" }) }),
      /* @__PURE__ */ a4("h1", { children: t13("trustedProved") }),
      /* @__PURE__ */ a4("p", { children: next }),
      /* @__PURE__ */ a4("p", { children: t13("trustedNotices") }),
      way
    ] });
  }
  if (link.dead || !link.token) return /* @__PURE__ */ a4(DeadLink, { dead: link.dead ?? "damaged", gone: t13("trustedGone"), children: way });
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "mail" }) }),
    /* @__PURE__ */ a4("h1", { children: t13("trustedProve") }),
    /* @__PURE__ */ a4("p", { children: t13("trustedProveText") }),
    /* @__PURE__ */ a4("p", { class: "hint", children: t13("trustedProveNot") }),
    /* @__PURE__ */ a4(Form, { submit: t13("trustedProveDo"), onSubmit: async () => {
      if (await link.use((token2) => post("/auth/trusted-email/verify", { open: true, body: { token: token2 } }))) setDone(true);
    }, children: null })
  ] });
}

// src/recovery/room.ts
var recovery = {
  routes: [
    { path: "/forgot", page: Forgot, title: () => t13("forgot"), open: true },
    { path: "/reset", page: Reset, title: () => t13("reset"), open: true },
    { path: "/activate", page: Activate2, title: () => t13("activate"), open: true },
    { path: "/recover", page: Recover, title: () => t13("recover"), open: true },
    { path: "/repair", page: Repair, title: () => t13("repair"), alone: true },
    { path: "/stop-recovery", page: Stop, title: () => t13("stop"), open: true },
    { path: "/trusted-email", page: TrustedLink, title: () => t13("trustedProve"), open: true }
  ],
  security: {
    Section: WaysBack,
    order: 7,
    advised: { line: "backup_codes", label: (on) => on ? t13("codesNew") : t13("codesMake"), run: setUp },
    ways: { backup_codes: ({ left: left2 }) => left2 === void 0 ? t13("codes") : t13("codesGlance", { count: left2 }), trusted_email: () => t13("trusted") }
  },
  loss: { Line: WaysGo, order: 8 },
  repair: "/repair",
  problems: problems10,
  waysBack: {
    password: { href: "/forgot", label: () => t13("forgotLink"), take: setTyped },
    activate: { href: "/activate", label: () => t13("activate"), take: setTyped },
    recover: { href: "/recover", label: () => t13("recoverLink"), take: setTyped }
  }
};

// src/session/words.ts
var t14 = catalog({
  en: {
    signIn: "Sign in",
    welcome: "Sign in to Coffer",
    identifier: "E-mail or username",
    password: "Password",
    remember: "Remember this device",
    rememberHint: "The next time you sign in here, the first step is enough. Only on a device that is yours.",
    noAccount: "New here?",
    why_ended: "You were signed out, because you were away for a long time or another device signed this one out. Sign in to continue where you were.",
    why_repair: "The time for repairing your account is over. What you have changed stays changed. If you still cannot sign in, use a way back again.",
    cannot: "Can’t do this?",
    why_otherTab: "You signed out in another tab. Sign in to continue where you were.",
    oneMore: { one: "One more step", other: "{count} more steps" },
    progress: "Step {step} of {total}: {name}",
    steps: "Sign-in steps",
    done: "done",
    noStep: "This page does not know the next step. Reload it and try again.",
    startAgain: "Start again",
    held: "Look into your mail",
    heldText: "Many wrong passwords were tried on this account, so new devices have to wait. We sent a link to the account’s address, if there is such an account and the password was right. Open it, then sign in again.",
    heldHint: "Devices that you had remembered, passkeys and connected accounts need not wait.",
    proofTitle: "Confirm it is you",
    proofText: "For your safety, enter your password again.",
    proofLasts: "You are not asked again for {time}.",
    proofAny: "For your safety, confirm once more that it is you.",
    proofDo: "Confirm",
    proofNone: "Nothing that this account signs in with can confirm it in this browser.",
    proofPassword: "Confirm with your password",
    devices: "Devices",
    devicesText: "Every device that is signed in to your account. Sign out any you don’t recognise.",
    endOthers: "Sign out all others",
    endOthersText: { one: "The other device is signed out at once.", other: "The {count} other devices are signed out at once." },
    endedOthers: "All other devices are signed out.",
    this: "This device",
    byPassword: "signed in with password",
    bySteps: "signed in with password and code",
    byOther: "signed in with a connected account",
    byOtherSteps: "signed in with a connected account and code",
    byPasskey: "signed in with a passkey",
    lastUse: "Last used",
    firstUse: "since",
    now: "now",
    deviceMenu: "Actions for {name}",
    rename: "Rename",
    renameTitle: "Rename the device",
    deviceName: "Name",
    save: "Save",
    end: "Sign out",
    endTitle: "Sign out this device?",
    endText: "“{name}” is signed out at once.",
    ended: "The device is signed out.",
    unknownDevice: "Unknown device",
    goDevices: { one: "Your sign-in on this device", other: "Your sign-ins on {count} devices" },
    goDevicesAll: "Your sign-ins on every device",
    strangeTitle: "Was this you?",
    strangeText: "This device signed in to your account.",
    strangeDo: "No, sign this device out",
    strangeYes: "Yes, this was me",
    strangeMine: "Good, then all is well",
    strangeMineText: "The device stays signed in. You can close this page.",
    strangeSince: "Signed in",
    strangeOut: "The device is signed out",
    strangeAdvice: "Whoever used it may know your password. Choose a new one now: that signs out every other device too.",
    strangeDamaged: "A part of the address is missing. Copy the whole link from the mail. You can also sign in: the page “Security” shows every device, and signs it out.",
    strangeGone: "It was used already or has expired. If you still do not know the device, choose a new password: that signs out every device.",
    signOut: "Sign out",
    signedOut: "You are signed out, in every tab of this browser.",
    point: "You see every device",
    pointText: "Each device that is signed in stands in a list, with its place. Sign any of them out, and it is out at once."
  },
  de: {
    signIn: "Anmelden",
    welcome: "Bei Coffer anmelden",
    identifier: "E-Mail oder Benutzername",
    password: "Passwort",
    remember: "Dieses Gerät merken",
    rememberHint: "Bei der nächsten Anmeldung hier genügt der erste Schritt. Nur auf einem Gerät, das Ihnen gehört.",
    noAccount: "Neu hier?",
    why_ended: "Sie wurden abgemeldet, weil Sie lange nicht da waren oder ein anderes Gerät dieses abgemeldet hat. Melden Sie sich an, um fortzufahren.",
    why_repair: "Die Zeit zum Reparieren Ihres Kontos ist vorbei. Was Sie geändert haben, gilt weiter. Wenn Sie sich noch immer nicht anmelden können, benutzen Sie noch einmal einen Weg zurück.",
    cannot: "Geht das nicht?",
    why_otherTab: "Sie haben sich in einem anderen Tab abgemeldet. Melden Sie sich an, um fortzufahren.",
    oneMore: { one: "Noch ein Schritt", other: "Noch {count} Schritte" },
    progress: "Schritt {step} von {total}: {name}",
    steps: "Anmeldeschritte",
    done: "erledigt",
    noStep: "Diese Seite kennt den nächsten Schritt nicht. Laden Sie sie neu und versuchen Sie es noch einmal.",
    startAgain: "Von vorn beginnen",
    held: "Sehen Sie in Ihre Mail",
    heldText: "An diesem Konto wurden viele falsche Passwörter probiert, deshalb müssen neue Geräte warten. Wir haben einen Link an die Adresse des Kontos geschickt, falls es das Konto gibt und das Passwort stimmte. Öffnen Sie ihn und melden Sie sich dann noch einmal an.",
    heldHint: "Gemerkte Geräte, Passkeys und verknüpfte Konten müssen nicht warten.",
    proofTitle: "Bestätigen Sie, dass Sie es sind",
    proofText: "Geben Sie zu Ihrer Sicherheit Ihr Passwort noch einmal ein.",
    proofLasts: "Danach werden Sie {time} lang nicht wieder gefragt.",
    proofAny: "Bestätigen Sie zu Ihrer Sicherheit noch einmal, dass Sie es sind.",
    proofDo: "Bestätigen",
    proofNone: "Nichts, womit sich dieses Konto anmeldet, kann das in diesem Browser bestätigen.",
    proofPassword: "Mit Ihrem Passwort bestätigen",
    devices: "Geräte",
    devicesText: "Jedes Gerät, das in Ihrem Konto angemeldet ist. Melden Sie ab, was Sie nicht kennen.",
    endOthers: "Alle anderen abmelden",
    endOthersText: { one: "Das andere Gerät wird sofort abgemeldet.", other: "Die {count} anderen Geräte werden sofort abgemeldet." },
    endedOthers: "Alle anderen Geräte sind abgemeldet.",
    this: "Dieses Gerät",
    byPassword: "mit Passwort angemeldet",
    bySteps: "mit Passwort und Code angemeldet",
    byOther: "mit einem verknüpften Konto angemeldet",
    byOtherSteps: "mit einem verknüpften Konto und Code angemeldet",
    byPasskey: "mit einem Passkey angemeldet",
    lastUse: "Zuletzt benutzt:",
    firstUse: "seit",
    now: "jetzt",
    deviceMenu: "Aktionen für {name}",
    rename: "Umbenennen",
    renameTitle: "Gerät umbenennen",
    deviceName: "Name",
    save: "Speichern",
    end: "Abmelden",
    endTitle: "Dieses Gerät abmelden?",
    endText: "„{name}“ wird sofort abgemeldet.",
    ended: "Das Gerät ist abgemeldet.",
    unknownDevice: "Unbekanntes Gerät",
    goDevices: { one: "Ihre Anmeldung auf diesem Gerät", other: "Ihre Anmeldungen auf {count} Geräten" },
    goDevicesAll: "Ihre Anmeldungen auf allen Geräten",
    strangeTitle: "Waren Sie das?",
    strangeText: "Dieses Gerät wurde in Ihrem Konto angemeldet.",
    strangeDo: "Nein, dieses Gerät abmelden",
    strangeYes: "Ja, das war ich",
    strangeMine: "Gut, dann ist alles in Ordnung",
    strangeMineText: "Das Gerät bleibt angemeldet. Sie können diese Seite schließen.",
    strangeSince: "Angemeldet:",
    strangeOut: "Das Gerät ist abgemeldet",
    strangeAdvice: "Wer es benutzt hat, kennt vielleicht Ihr Passwort. Wählen Sie jetzt ein neues: Das meldet auch alle anderen Geräte ab.",
    strangeDamaged: "Ein Teil der Adresse fehlt. Kopieren Sie den ganzen Link aus der Mail. Sie können sich auch anmelden: Die Seite „Sicherheit“ zeigt jedes Gerät und meldet es ab.",
    strangeGone: "Er wurde schon benutzt oder ist abgelaufen. Wenn Sie das Gerät noch immer nicht kennen, wählen Sie ein neues Passwort: Das meldet alle Geräte ab.",
    signOut: "Abmelden",
    signedOut: "Sie sind abgemeldet, in allen Tabs dieses Browsers.",
    point: "Sie sehen jedes Gerät",
    pointText: "Jedes angemeldete Gerät steht mit seinem Ort in einer Liste. Melden Sie eines ab, und es ist sofort abgemeldet."
  }
});
var problems11 = catalog({
  en: {
    wrong_password: "Wrong password.",
    attempt_over: "Too many wrong codes, or too late. Please sign in again.",
    proof_over: "Too many wrong codes, or too late. Please begin again.",
    invalid_public_key: "The server does not take the key of this browser. Reload the page and try again.",
    invalid_refresh_token: "You are signed out. Sign in again to continue."
  },
  de: {
    wrong_password: "Falsches Passwort.",
    attempt_over: "Zu viele falsche Codes oder zu spät. Bitte melden Sie sich noch einmal an.",
    proof_over: "Zu viele falsche Codes oder zu spät. Bitte beginnen Sie noch einmal.",
    invalid_public_key: "Der Server nimmt den Schlüssel dieses Browsers nicht an. Laden Sie die Seite neu und versuchen Sie es noch einmal.",
    invalid_refresh_token: "Sie sind abgemeldet. Melden Sie sich wieder an, um fortzufahren."
  }
});

// src/session/devices.tsx
function Devices() {
  const { data, problem: problem2, reload } = useLoad((signal) => allDevices(signal), []);
  const [wish, setWish] = d2();
  const close = () => setWish(void 0);
  A2(() => {
    const seen = () => document.visibilityState === "visible" && void reload();
    document.addEventListener("visibilitychange", seen);
    return () => document.removeEventListener("visibilitychange", seen);
  }, [reload]);
  const others2 = (data ?? []).filter((d5) => !d5.current).length;
  return /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": "devices", children: [
    /* @__PURE__ */ a4("div", { class: "card-head", children: [
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("h2", { id: "devices", children: t14("devices") }),
        /* @__PURE__ */ a4("p", { class: "hint", children: t14("devicesText") })
      ] }),
      others2 > 0 && /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => setWish({ kind: "endOthers" }), children: t14("endOthers") })
    ] }),
    problem2 ? /* @__PURE__ */ a4(Failed, { problem: problem2, retry: reload }) : !data ? /* @__PURE__ */ a4(Skeleton, { rows: 3 }) : /* @__PURE__ */ a4("ul", { class: "devices", children: data.map((d5) => /* @__PURE__ */ a4("li", { class: "device", children: [
      /* @__PURE__ */ a4("span", { class: "device-icon", children: /* @__PURE__ */ a4(Icon, { name: /iPhone|iPad|Android/.test(nameOf(d5)) ? "phone" : "device" }) }),
      /* @__PURE__ */ a4("div", { class: "device-text", children: [
        /* @__PURE__ */ a4("p", { class: "device-name", children: [
          /* @__PURE__ */ a4("strong", { title: nameOf(d5), children: nameOf(d5) }),
          " ",
          d5.current && /* @__PURE__ */ a4("span", { class: "tag", children: t14("this") })
        ] }),
        /* @__PURE__ */ a4("p", { class: "hint", children: traits2(d5) }),
        /* @__PURE__ */ a4("p", { class: "hint", children: [
          t14("lastUse"),
          " ",
          /* @__PURE__ */ a4(Time, { at: d5.last_used_at, children: d5.current ? t14("now") : ago(d5.last_used_at) }),
          " · ",
          t14("firstUse"),
          " ",
          /* @__PURE__ */ a4(Time, { at: d5.created_at, children: dateTime(d5.created_at) })
        ] })
      ] }),
      /* @__PURE__ */ a4(Menu, { label: t14("deviceMenu", { name: nameOf(d5) }), items: [
        { icon: "pencil", label: t14("rename"), run: () => setWish({ kind: "rename", device: d5 }) },
        ...d5.current ? [] : [{ icon: "signOut", label: t14("end"), danger: true, run: () => setWish({ kind: "end", device: d5 }) }]
      ], children: /* @__PURE__ */ a4(Icon, { name: "more" }) })
    ] }, d5.id)) }),
    wish?.kind === "rename" && /* @__PURE__ */ a4(Dialog, { title: t14("renameTitle"), onClose: close, children: /* @__PURE__ */ a4(Form, { submit: t14("save"), onCancel: close, onSubmit: async (v4) => {
      await patch("/sessions/{id}", { path: { id: wish.device.id }, body: { name: v4.name } });
      close();
      await reload();
    }, children: /* @__PURE__ */ a4(Field, { name: "name", label: t14("deviceName"), value: nameOf(wish.device), required: true, maxLength: 100, autoFocus: true, selectName: true }) }) }),
    wish?.kind === "end" && /* @__PURE__ */ a4(Confirm, { title: t14("endTitle"), action: t14("end"), onClose: close, onConfirm: async () => {
      await del("/sessions/{id}", { path: { id: wish.device.id } });
      toast(t14("ended"));
      await reload();
    }, children: /* @__PURE__ */ a4("p", { children: t14("endText", { name: nameOf(wish.device) }) }) }),
    wish?.kind === "endOthers" && /* @__PURE__ */ a4(Confirm, { title: t14("endOthers"), action: t14("endOthers"), onClose: close, onConfirm: async () => {
      await del("/sessions");
      toast(t14("endedOthers"));
      await reload();
    }, children: /* @__PURE__ */ a4("p", { children: t14("endOthersText", { count: others2 }) }) })
  ] });
}
function DevicesGo() {
  const { data } = useLoad((signal) => allDevices(signal), []);
  return /* @__PURE__ */ a4("li", { children: data ? t14("goDevices", { count: data.length }) : t14("goDevicesAll") });
}
async function allDevices(signal) {
  const all2 = [];
  let cursor;
  do {
    const page2 = await get("/sessions", { query: { limit: 200, cursor }, signal });
    all2.push(...page2.items);
    cursor = page2.next_cursor;
  } while (cursor);
  return all2.sort((a5, b4) => Number(b4.current) - Number(a5.current));
}
function traits2(d5) {
  const browser = d5.device.split(" ")[0] ?? "";
  return [nameOf(d5).includes(browser) ? "" : d5.device, how2(d5), d5.place, d5.address].filter(Boolean).join(" · ");
}
function how2({ aal, amr }) {
  if (amr.includes("hwk") || amr.includes("swk")) return t14("byPasskey");
  if (amr.includes("fed")) return t14(aal === "aal1" ? "byOther" : "byOtherSteps");
  return t14(aal === "aal1" ? "byPassword" : "bySteps");
}
function nameOf(d5) {
  return d5.name || d5.device || t14("unknownDevice");
}

// src/session/key.ts
var database = "coffer";
var keys = "keys";
var curves = ["P-521", "P-256"];
var pair;
async function clientKey() {
  if (!globalThis.crypto?.subtle || !globalThis.indexedDB) return void 0;
  pair = await read4("client") ?? await make2();
  const jwk = await crypto.subtle.exportKey("jwk", pair.publicKey);
  return { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y };
}
async function make2() {
  let last3;
  for (const namedCurve of curves) {
    try {
      const made3 = await crypto.subtle.generateKey({ name: "ECDH", namedCurve }, false, ["deriveBits"]);
      await write2("client", made3);
      return made3;
    } catch (err2) {
      last3 = err2;
    }
  }
  throw last3;
}
async function prover(session2) {
  const own = pair ?? await read4("client");
  if (!own) throw new Error("the session wants signed requests, but its key is gone");
  const { subtle } = crypto;
  const { namedCurve } = own.publicKey.algorithm;
  const { kty, crv, x: x3, y: y5 } = session2.server_public_key;
  const server = await subtle.importKey("jwk", { kty, crv, x: x3, y: y5 }, { name: "ECDH", namedCurve }, true, []);
  const agreed = await subtle.deriveBits({ name: "ECDH", public: server }, own.privateKey, namedCurve === "P-521" ? 528 : 256);
  const issuer = issuerOf(session2.access_token);
  const info = joined(text("coffer/session/v1\0"), ...[
    text("proof"),
    text(issuer),
    text(`${namedCurve.replace("-", "")}-HKDF512-A256GCM`),
    new Uint8Array(await subtle.exportKey("raw", server)),
    new Uint8Array(await subtle.exportKey("raw", own.publicKey))
  ].flatMap((part) => [new Uint8Array([part.length >> 8, part.length & 255]), part]));
  const key3 = await subtle.deriveKey(
    { name: "HKDF", hash: "SHA-512", salt: bytes(session2.session_id), info },
    await subtle.importKey("raw", agreed, "HKDF", false, ["deriveKey"]),
    { name: "HMAC", hash: "SHA-256", length: 256 },
    false,
    ["sign"]
  );
  const made3 = { session: session2.session_id, origin: new URL(issuer).origin, key: key3 };
  await write2("proof", made3);
  return made3;
}
async function keptProver() {
  return globalThis.crypto?.subtle && globalThis.indexedDB ? read4("proof") : void 0;
}
async function sign({ session: session2, origin, key: key3 }, { method, address: address3, authorization, body, at }) {
  const { subtle } = crypto;
  const fields = {};
  const covered = [["@method", method.toUpperCase()], ["@target-uri", origin + address3]];
  if (authorization) covered.push(["authorization", authorization]);
  if (body !== void 0) {
    const digest = fields["Content-Digest"] = `sha-256=:${base64(await subtle.digest("SHA-256", text(body)))}:`;
    covered.push(["content-digest", digest]);
  }
  const nonce = base64(crypto.getRandomValues(new Uint8Array(18)).buffer);
  const params = `(${covered.map(([name]) => `"${name}"`).join(" ")});created=${Math.floor(at / 1e3)};nonce="${nonce}";keyid="${session2}";alg="hmac-sha256"`;
  const base = covered.map(([name, value]) => `"${name}": ${value}
`).join("") + `"@signature-params": ${params}`;
  fields["Signature-Input"] = "proof=" + params;
  fields.Signature = `proof=:${base64(await subtle.sign("HMAC", key3, text(base)))}:`;
  return fields;
}
function issuerOf(token2) {
  return JSON.parse(new TextDecoder().decode(bytes(token2.split(".")[1]))).iss;
}
var text = (s4) => new TextEncoder().encode(s4);
function joined(...parts) {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}
function bytes(s4) {
  return Uint8Array.from(atob(s4.replaceAll("-", "+").replaceAll("_", "/")), (c4) => c4.charCodeAt(0));
}
function base64(b4) {
  return btoa(String.fromCharCode(...new Uint8Array(b4)));
}
function read4(name) {
  return within("readonly", (store) => store.get(name));
}
function write2(name, value) {
  return within("readwrite", (store) => store.put(value, name));
}
async function within(mode, work4) {
  const db = await open();
  try {
    const request = work4(db.transaction(keys, mode).objectStore(keys));
    return await settled3(request);
  } finally {
    db.close();
  }
}
function open() {
  const request = indexedDB.open(database, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(keys);
  return settled3(request);
}
function settled3(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

// src/session/session.ts
var token = "";
var tokenEnds = 0;
var level = {};
var waysBack = ["backup_code", "trusted_email", "delay"];
var wholeWays = ["backup_code", "delay"];
function levelOf({ aal, amr, recovery: recovery2, refresh_expires_in }) {
  if (aal !== "recovery" && !amr.some((method) => waysBack.includes(method))) return {};
  const steps3 = recovery2?.may_repair_layers ?? amr.some((method) => wholeWays.includes(method));
  const until3 = new Date(serverNow() + refresh_expires_in * 1e3).toISOString();
  return { repair: aal === "recovery", recovered: { by: amr, steps: steps3, until: until3, ...recovery2?.from && { from: recovery2.from } } };
}
var signer;
var had = "coffer.session";
var channel2 = new BroadcastChannel("coffer.session");
function startSession(prove) {
  useKeeper({ token: freshToken, renew: refresh2, level: () => refresh2(token), sign: signed2, prove, opening: openSession, enter, take: signedIn, ended, changed });
  channel2.onmessage = (event) => hear2(event.data);
  void lookUp();
}
async function freshToken() {
  if (!token || Date.now() > tokenEnds - 1e4) await refresh2(token);
  return token;
}
var refreshing;
function refresh2(stale) {
  refreshing ??= locked(async () => {
    if (token !== stale && Date.now() < tokenEnds - 1e4) return;
    try {
      const opened = await post("/auth/refresh", { open: true, signed: true });
      if (isChallenge(opened)) throw new Error("a refresh asks for no layers");
      await adopt(opened);
      relevel();
    } catch (err2) {
      if (err2 instanceof Problem && (err2.status === 401 || err2.status === 403) && me()) end2(ending(), ending());
      throw err2;
    }
  }).finally(() => {
    refreshing = void 0;
  });
  return refreshing;
}
function locked(work4) {
  return navigator.locks ? navigator.locks.request("coffer.refresh", work4) : work4();
}
async function adopt(session2) {
  if (session2.binding === "none") signer = Promise.resolve(void 0);
  else if ((await signer)?.session !== session2.session_id) signer = Promise.resolve(await prover(session2));
  token = session2.access_token;
  tokenEnds = Date.now() + session2.expires_in * 1e3;
  level = levelOf(session2);
  localStorage.setItem(had, level.repair ? "repair" : "ended");
  tell2({ kind: "token", token, ends: tokenEnds, session: session2.session_id, level });
}
var ending = () => level.repair ? "repair" : "ended";
var pastEnding = (kind) => kind === "repair" ? "repair" : kind ? "ended" : void 0;
function show3(account2) {
  const { recovered, repair } = level;
  auth.value = repair && recovered ? { is: "repair", account: account2, recovered } : { is: "in", account: account2, ...recovered && { recovered } };
}
function relevel() {
  const account2 = me();
  if (account2 && auth.value.is === "repair" !== (level.repair ?? false)) show3(account2);
}
async function signed2(request) {
  signer ??= keptProver().catch(() => void 0);
  const by = await signer;
  return by ? sign(by, request) : {};
}
async function signedIn(session2) {
  const known3 = me() !== void 0;
  await adopt(session2);
  if (!known3) tell2({ kind: "in" });
  await loadAccount();
}
var handed2;
async function enter(opened, { by, to } = {}) {
  if (isChallenge(opened)) {
    handed2 = { challenge: opened, by };
    r3(() => {
      forget2();
      go(signInPath() + (to ? "?next=" + encodeURIComponent(to) : ""), { replace: true });
    });
    return;
  }
  await adopt(opened);
  tell2({ kind: "in" });
  await loadAccount().catch((err2) => {
    auth.value = { is: "unreachable", problem: asProblem(err2), retry: lookUp };
  });
  go(level.repair ? repairPath() : safeNext(to ?? null, location.origin, firstPlace()), { replace: true });
}
function handedOver() {
  const what = handed2;
  handed2 = void 0;
  return what;
}
async function loadAccount() {
  show3(await get("/account"));
}
function changed(account2) {
  show3(account2);
  tell2({ kind: "account" });
}
async function openSession() {
  const key3 = await clientKey().catch(() => void 0);
  return { ...key3 && { public_key: key3, binding: "proof" }, device_name: deviceName(navigator.userAgent) };
}
function deviceName(agent) {
  const marks = [
    [/Edg\w*\/(\d+)/, "Edge"],
    [/OPR\/(\d+)/, "Opera"],
    [/(?:Firefox|FxiOS)\/(\d+)/, "Firefox"],
    [/(?:Chrom(?:e|ium)|CriOS)\/(\d+)/, "Chrome"],
    [/Version\/(\d+).* Safari\//, "Safari"]
  ];
  const found = marks.find(([mark]) => mark.test(agent));
  const browser = found ? `${found[1]} ${found[0].exec(agent)[1]}` : "Browser";
  const system = /iPhone/.test(agent) ? "iPhone" : /iPad/.test(agent) ? "iPad" : /Android/.test(agent) ? "Android" : /Windows/.test(agent) ? "Windows" : /Mac OS X/.test(agent) ? "Mac" : /Linux|X11/.test(agent) ? "Linux" : "";
  return system ? `${browser} · ${system}` : browser;
}
function isChallenge(body) {
  return body !== void 0 && "attempt_id" in body;
}
async function signOut(leave5) {
  try {
    await call("post", "/auth/sign-out");
  } catch (err2) {
    if (!(err2 instanceof Problem) || err2.status !== 401) throw err2;
  }
  ended(leave5);
}
function ended(leave5) {
  r3(() => {
    end2(void 0, "otherTab");
    leave5();
  });
}
function end2(here2, there) {
  forget2(here2);
  tell2({ kind: "out", why: there });
}
function forget2(why3) {
  token = "";
  tokenEnds = 0;
  level = {};
  localStorage.removeItem(had);
  auth.value = { is: "out", ...why3 && { why: why3 } };
}
function tell2(news2) {
  channel2.postMessage(news2);
}
function hear2(news2) {
  switch (news2.kind) {
    case "token":
      void takeOver(news2);
      break;
    case "out":
      forget2(me() && news2.why);
      break;
    case "in":
    case "account":
      void loadAccount().catch(() => void 0);
      break;
  }
}
async function takeOver(next) {
  if ((await signer)?.session !== next.session) signer = void 0;
  ({ token, ends: tokenEnds, level } = next);
  relevel();
}
async function lookUp() {
  auth.value = { is: "starting" };
  try {
    await refresh2("");
    await loadAccount();
  } catch (err2) {
    const problem2 = asProblem(err2);
    if (problem2.status === 401 || problem2.status === 403) forget2(pastEnding(localStorage.getItem(had)));
    else auth.value = { is: "unreachable", problem: problem2, retry: lookUp };
  }
}

// src/session/steps.tsx
var inOrder = (layers2) => [...layers2].sort((a5, b4) => (layerStep(a5.layer)?.order ?? Infinity) - (layerStep(b4.layer)?.order ?? Infinity));
function Steps({ challenge, onSession, onOver, inside, identifier, by = t14("password"), onLeave, children }) {
  const [layers2, setLayers] = d2(() => inOrder(challenge.layers));
  const next = layers2.find((l4) => !l4.done && layerStep(l4.layer));
  const step = next && layerStep(next.layer);
  const left2 = layers2.filter((l4) => !l4.done).length;
  const total = layers2.length + 1;
  async function guard5(work4) {
    try {
      return await work4;
    } catch (err2) {
      if (!(err2 instanceof Problem) || err2.code !== "attempt_over" && err2.status !== 404) throw err2;
      onOver();
      return void 0;
    }
  }
  async function goOn2(opened) {
    if (isChallenge(opened)) setLayers(inOrder(opened.layers));
    else await onSession(opened);
  }
  const answer = async (path3, body) => {
    const opened = await guard5(post(path3, { path: { id: challenge.attempt_id }, attempt: challenge.attempt_token, body }));
    if (opened) await goOn2(opened);
  };
  const again3 = async (path3) => {
    const sent = await guard5(post(path3, { path: { id: challenge.attempt_id }, attempt: challenge.attempt_token }));
    if (!sent) throw cancelled();
    setLayers((all2) => all2.map((l4) => l4.layer === next?.layer ? { ...l4, ...sent } : l4));
    return sent;
  };
  const passes = challenge.passkey ? collect((room) => room.pass) : [];
  const back = wayBack("recover");
  const title = t14("oneMore", { count: left2 });
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4("div", { class: "steps-head", children: [
      inside ? /* @__PURE__ */ a4("h3", { children: title }) : /* @__PURE__ */ a4("h1", { children: title }),
      next && step && /* @__PURE__ */ a4("p", { class: "hint", role: "status", children: t14("progress", { step: total - left2 + 1, total, name: step.title() }) })
    ] }),
    /* @__PURE__ */ a4("ol", { class: "layers", "aria-label": t14("steps"), children: [
      /* @__PURE__ */ a4("li", { class: "done", children: [
        /* @__PURE__ */ a4(Icon, { name: "check" }),
        " ",
        by,
        /* @__PURE__ */ a4("span", { class: "hidden", children: [
          ", ",
          t14("done")
        ] })
      ] }),
      layers2.map((l4) => /* @__PURE__ */ a4("li", { class: l4.done ? "done" : l4 === next ? "now" : void 0, "aria-current": l4 === next ? "step" : void 0, children: [
        /* @__PURE__ */ a4(Icon, { name: l4.done ? "check" : "shield" }),
        " ",
        layerStep(l4.layer)?.title() ?? l4.layer,
        l4.done && /* @__PURE__ */ a4("span", { class: "hidden", children: [
          ", ",
          t14("done")
        ] })
      ] }, l4.layer))
    ] }),
    passes.length > 0 && /* @__PURE__ */ a4(Others, { before: true, children: passes.map(({ Way: Way3, order }) => /* @__PURE__ */ a4(Way3, { challenge, guard: guard5, onOpened: goOn2 }, order)) }),
    next && step ? /* @__PURE__ */ a4(step.Step, { layer: next, answer, again: again3 }, next.layer) : /* @__PURE__ */ a4("p", { children: t14("noStep") }),
    (back || children) && /* @__PURE__ */ a4("div", { class: "aside ways", children: [
      back && /* @__PURE__ */ a4("p", { children: /* @__PURE__ */ a4("a", { href: back.href, onClick: () => {
        back.take({ identifier });
        onLeave?.();
      }, children: t14("cannot") }) }),
      children
    ] })
  ] });
}

// src/session/proof.tsx
var proving;
function askForProof(begun3) {
  proving ??= (async () => {
    let proven3 = false;
    const lines = await get("/account/security", { quiet: true }).catch(() => ({}));
    await ask((close) => /* @__PURE__ */ a4(Proof, { lines, begun: begun3, onClose: close, onProven: () => {
      proven3 = true;
      close();
    } }));
    return proven3;
  })().finally(() => {
    proving = void 0;
  });
  return proving;
}
function Proof({ lines, begun: begun3, onClose, onProven }) {
  const [{ challenge, by }, setBegun] = d2(begun3 ?? {});
  const [over3, setOver] = d2();
  const typed2 = T2({});
  const lasts2 = useSettings()?.step_up_seconds;
  const [main, ...others2] = collect((room) => room.prove).filter(({ on }) => on(lines));
  async function opened(s4, by2) {
    setOver(void 0);
    if (isChallenge(s4)) return setBegun({ challenge: s4, by: by2 });
    if (s4?.access_token) await signedIn(s4);
    onProven();
  }
  const props = { onOpened: opened, onCancel: others2.length > 0 ? void 0 : onClose, typed: typed2.current };
  return /* @__PURE__ */ a4(Dialog, { title: t14("proofTitle"), onClose, children: challenge ? /* @__PURE__ */ a4(Steps, { inside: true, challenge, by, identifier: me()?.username ?? "", onLeave: onClose, onSession: (s4) => opened(s4), onOver: () => {
    setOver(new Problem({ status: 410, code: "proof_over" }));
    setBegun({});
  } }) : !main ? /* @__PURE__ */ a4("p", { children: t14("proofNone") }) : /* @__PURE__ */ a4("div", { class: others2.length > 0 ? "proof several" : "proof", children: [
    /* @__PURE__ */ a4("p", { children: [
      others2.length === 0 && main.Way === ByPassword ? t14("proofText") : t14("proofAny"),
      " ",
      lasts2 && t14("proofLasts", { time: duration(lasts2) })
    ] }),
    over3 && /* @__PURE__ */ a4(Failed, { problem: over3 }),
    /* @__PURE__ */ a4(main.Way, { ...props, main: true }),
    others2.length > 0 && /* @__PURE__ */ a4(Others, { children: others2.map(({ Way: Way3, order }) => /* @__PURE__ */ a4(Way3, { ...props, main: false }, order)) })
  ] }) });
}
function ByPassword({ main, onOpened, onCancel, typed: typed2 }) {
  return /* @__PURE__ */ a4(Form, { submit: main ? t14("proofDo") : t14("proofPassword"), quiet: !main, onCancel, onSubmit: async (v4) => {
    typed2.password = v4.password;
    const opened = await post("/account/reauthenticate", { body: { password: v4.password } }).catch((err2) => {
      throw err2 instanceof Problem && err2.code === "invalid_credentials" ? new Problem({ status: 401, code: "wrong_password" }) : err2;
    });
    await onOpened(opened);
  }, children: [
    /* @__PURE__ */ a4(
      "input",
      {
        class: "hidden",
        type: "text",
        name: "username",
        autoComplete: "username",
        readOnly: true,
        tabIndex: -1,
        "aria-hidden": "true",
        value: me()?.username ?? ""
      }
    ),
    /* @__PURE__ */ a4(Password, { name: "password", label: t14("password"), value: typed2.password, autoComplete: "current-password", required: true, autoFocus: main })
  ] });
}

// src/session/end-device.tsx
function EndDevice() {
  const link = useLink();
  const [over3, setOver] = d2();
  const { data, problem: problem2, reload } = useLoad(async (signal) => whole(link.secret) ? post("/auth/end-device/check", { open: true, body: { token: link.secret }, signal }) : void 0, []);
  A2(() => {
    if (over3 === "out" || over3 === "mine") focusMain();
  }, [over3]);
  if (over3 === "mine") {
    return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
      /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "check" }) }),
      /* @__PURE__ */ a4("h1", { children: t14("strangeMine") }),
      /* @__PURE__ */ a4("p", { children: t14("strangeMineText") }),
      /* @__PURE__ */ a4("div", { class: "form-actions", children: /* @__PURE__ */ a4(SignInLink, { class: "button primary" }) })
    ] });
  }
  if (over3 === "out") {
    return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
      /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "shield" }) }),
      /* @__PURE__ */ a4("h1", { children: t14("strangeOut") }),
      /* @__PURE__ */ a4("p", { children: t14("strangeAdvice") }),
      /* @__PURE__ */ a4("div", { class: "form-actions", children: [
        /* @__PURE__ */ a4(NewPasswordLink, { class: "button primary" }),
        /* @__PURE__ */ a4(SignInLink, { class: "button" })
      ] })
    ] });
  }
  const gone3 = over3 === "gone" || problem2?.code === "link_gone";
  if (gone3 || !whole(link.secret)) {
    return /* @__PURE__ */ a4(DeadLink, { dead: gone3 ? "gone" : "damaged", gone: t14("strangeGone"), damaged: t14("strangeDamaged"), children: /* @__PURE__ */ a4("div", { class: "form-actions", children: [
      gone3 && /* @__PURE__ */ a4(NewPasswordLink, { class: "button primary" }),
      /* @__PURE__ */ a4(SignInLink, { class: gone3 ? "button" : "button primary" })
    ] }) });
  }
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "device" }) }),
    /* @__PURE__ */ a4("h1", { children: t14("strangeTitle") }),
    problem2 ? /* @__PURE__ */ a4(Failed, { problem: problem2, retry: reload }) : !data ? /* @__PURE__ */ a4(Skeleton, { rows: 2 }) : /* @__PURE__ */ a4($, { children: [
      /* @__PURE__ */ a4("p", { children: t14("strangeText") }),
      /* @__PURE__ */ a4("div", { class: "device strange", children: [
        /* @__PURE__ */ a4("span", { class: "device-icon", children: /* @__PURE__ */ a4(Icon, { name: /iPhone|iPad|Android/.test(data.device) ? "phone" : "device" }) }),
        /* @__PURE__ */ a4("div", { class: "device-text", children: [
          /* @__PURE__ */ a4("p", { children: /* @__PURE__ */ a4("strong", { children: data.device || t14("unknownDevice") }) }),
          data.place && /* @__PURE__ */ a4("p", { class: "hint", children: data.place }),
          /* @__PURE__ */ a4("p", { class: "hint", children: [
            t14("strangeSince"),
            " ",
            /* @__PURE__ */ a4(Time, { at: data.signed_in_at, children: dateTime(data.signed_in_at) })
          ] })
        ] })
      ] }),
      /* @__PURE__ */ a4(Form, { submit: t14("strangeDo"), danger: true, onSubmit: async () => {
        try {
          await post("/auth/end-device", { open: true, body: { token: link.secret } });
        } catch (err2) {
          if (!(err2 instanceof Problem) || err2.code !== "link_gone") throw err2;
          link.used();
          return setOver("gone");
        }
        link.used();
        setOver("out");
        if (auth.value.is === "in") void get("/account").catch(() => void 0);
      }, children: null }),
      /* @__PURE__ */ a4(Form, { submit: t14("strangeYes"), quiet: true, onSubmit: async () => {
        await post("/auth/end-device/confirm", { open: true, body: { token: link.secret } });
        setOver("mine");
      }, children: null })
    ] })
  ] });
}

// src/session/sign-in.tsx
function SignIn() {
  useLeaveWhenIn();
  return /* @__PURE__ */ a4(SignInForm, { title: t14("welcome"), children: null });
}
function SignInForm({ title, submit = t14("signIn"), children }) {
  const [begun3, setBegun] = d2(handedOver);
  const card = T2(null);
  const [over3, setOver] = d2(false);
  const [sending, setSending] = d2(false);
  const [held4, setHeld] = d2(false);
  const typed2 = T2({ identifier: "", password: "", remember: false });
  const why3 = auth.value.is === "out" ? auth.value.why : void 0;
  const ways2 = ["password", "recover"].flatMap((to) => wayBack(to) ?? []);
  const own = children !== null;
  const others2 = own ? [] : doors().filter((door) => !door.signsIn);
  async function opened(s4) {
    if (!isChallenge(s4)) return signedIn(s4);
    setBegun({ challenge: s4 });
    setSending(false);
  }
  A2(() => {
    if (held4) focusMain();
  }, [held4]);
  if (held4) {
    return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
      /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "mail" }) }),
      /* @__PURE__ */ a4("h1", { children: t14("held") }),
      /* @__PURE__ */ a4("p", { children: t14("heldText") }),
      /* @__PURE__ */ a4("p", { class: "hint", children: t14("heldHint") }),
      /* @__PURE__ */ a4("div", { class: "form-actions", children: /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => setHeld(false), children: t14("startAgain") }) })
    ] });
  }
  if (begun3) {
    return /* @__PURE__ */ a4("div", { class: "card narrow", children: /* @__PURE__ */ a4(Steps, { challenge: begun3.challenge, by: begun3.by, identifier: typed2.current.identifier, onSession: signedIn, onOver: () => {
      setOver(true);
      setBegun(void 0);
    }, children: /* @__PURE__ */ a4("p", { children: /* @__PURE__ */ a4("button", { type: "button", class: "link", onClick: () => setBegun(void 0), children: t14("startAgain") }) }) }) });
  }
  return /* @__PURE__ */ a4("div", { class: "card narrow", ref: card, children: [
    /* @__PURE__ */ a4("h1", { children: title }),
    children,
    why3 && !over3 && /* @__PURE__ */ a4("div", { class: "notice", role: "status", children: [
      /* @__PURE__ */ a4(Icon, { name: "device" }),
      /* @__PURE__ */ a4("p", { children: t14(`why_${why3}`) })
    ] }),
    over3 && /* @__PURE__ */ a4("div", { class: "notice bad", role: "alert", children: [
      /* @__PURE__ */ a4(Icon, { name: "warning" }),
      /* @__PURE__ */ a4("p", { children: problems11("attempt_over") })
    ] }),
    /* @__PURE__ */ a4(Form, { submit, onSubmit: async (v4) => {
      setOver(false);
      typed2.current = { identifier: v4.identifier, password: v4.password, remember: v4.remember_device === "on" };
      const body = { identifier: v4.identifier, password: v4.password, remember_device: v4.remember_device === "on", ...await openSession() };
      setSending(true);
      try {
        const answer = await post("/auth/sign-in", { open: true, body }).catch((err2) => {
          const activate = wayBack("activate");
          if (!(err2 instanceof Problem) || err2.code !== "account_deactivated" || !activate) throw err2;
          activate.take({ identifier: v4.identifier, password: v4.password });
          go(activate.href);
        });
        if (answer) await opened(answer);
      } catch (err2) {
        setSending(false);
        if (err2 instanceof Problem && err2.code === "sign_in_held") return setHeld(true);
        throw err2;
      }
    }, children: [
      /* @__PURE__ */ a4(Field, { name: "identifier", label: t14("identifier"), value: typed2.current.identifier, autoComplete: "username webauthn", required: true, spellcheck: false, autoFocus: true, onInput: (value) => typed2.current.identifier = value }),
      /* @__PURE__ */ a4(Password, { name: "password", label: t14("password"), value: typed2.current.password, autoComplete: "current-password", required: true }),
      /* @__PURE__ */ a4(Check, { name: "remember_device", label: t14("remember"), hint: t14("rememberHint"), checked: typed2.current.remember })
    ] }),
    /* @__PURE__ */ a4(Entries, { paused: sending, onOpened: opened, own, remember: () => card.current.querySelector("[name=remember_device]").checked }),
    (ways2.length > 0 || others2.length > 0) && /* @__PURE__ */ a4("div", { class: "aside ways", children: [
      ways2.map(({ href, label, take: take4 }) => /* @__PURE__ */ a4("p", { children: /* @__PURE__ */ a4("a", { href, onClick: () => take4({ identifier: typed2.current.identifier }), children: label() }) }, href)),
      others2.map(({ href, label }) => /* @__PURE__ */ a4("p", { children: [
        t14("noAccount"),
        " ",
        /* @__PURE__ */ a4("a", { href, children: label() })
      ] }, href))
    ] })
  ] });
}

// src/session/room.ts
var session = {
  routes: [
    { path: "/sign-in", page: SignIn, title: () => t14("signIn"), open: true },
    { path: "/end-device", page: EndDevice, title: () => t14("strangeTitle"), open: true }
  ],
  signInForm: SignInForm,
  door: { href: "/sign-in", label: () => t14("signIn"), order: 2, signsIn: true },
  menu: [{ icon: "signOut", label: () => t14("signOut"), run: () => void leave3(), order: 9, always: true }],
  points: [{ icon: "device", title: () => t14("point"), text: () => t14("pointText"), order: 2 }],
  security: { Section: Devices, order: 9 },
  prove: { Way: ByPassword, on: ({ password }) => password?.enabled ?? true, order: 2 },
  loss: { Line: DevicesGo, order: 2 },
  problems: problems11,
  start: () => startSession(askForProof)
};
async function leave3() {
  try {
    await signOut(() => go("/"));
    toast(t14("signedOut"));
  } catch (err2) {
    toastProblem(err2);
  } finally {
    keepLook();
  }
}

// src/share/guest.ts
var below = (folder3, name) => folder3 ? `${folder3}/${name}` : name;
var page = (token2, path3) => `/s/${encodeURIComponent(token2)}${path3 && "?path=" + encodeURIComponent(path3)}`;
async function look(token2, path3, signal, cursor) {
  const { entry: entry4, ...link } = await get("/public/shares/{token}", { open: true, path: { token: token2 }, query: { path: path3, limit: 100, cursor }, signal });
  return link.kind === "read" ? { ...link, kind: "read", entry: entry4 } : { ...link, kind: "request" };
}
var unlock = (token2, password) => post("/public/shares/{token}/unlock", { open: true, path: { token: token2 }, body: { password } });
function useWay(token2, path3) {
  const kept4 = T2(/* @__PURE__ */ new Map());
  const [door, set] = d2({ is: "loading" });
  const [stuck, setStuck] = d2();
  const asking = T2(void 0);
  const reading2 = T2(false);
  function show4(open2) {
    kept4.current.set(open2.path, open2);
    set(open2);
  }
  const instead = (of, to) => set((shown2) => shown2.is === "open" && shown2.path === of.path ? to(shown2) : shown2);
  async function load2() {
    asking.current?.abort();
    const mine2 = asking.current = new AbortController();
    const was = kept4.current.get(path3);
    setStuck(void 0);
    if (was) set(was);
    try {
      const link = await look(token2, path3, mine2.signal);
      if (!mine2.signal.aborted) show4(was ? { ...was, link } : { is: "open", path: path3, link, ...listed(link, path3) });
    } catch (err2) {
      if (mine2.signal.aborted) return;
      const next = refused(asProblem(err2));
      if (next.is === "failed" && was) return toastProblem(next.problem);
      if (next.is !== "gone" || !path3) return set(next);
      const root = await look(token2, "", mine2.signal).then((link) => ({ is: "astray", name: link.name }), (failed) => refused(asProblem(failed)));
      if (!mine2.signal.aborted) set(root);
    }
  }
  A2(() => {
    void load2();
    return () => asking.current?.abort();
  }, [path3]);
  return {
    door,
    load: load2,
    stuck,
    async more() {
      if (door.is !== "open" || !door.next || reading2.current) return;
      reading2.current = true;
      setStuck(void 0);
      try {
        const link = await look(token2, door.path, asking.current.signal, door.next);
        const { items, next } = listed(link, door.path);
        const now = kept4.current.get(door.path) ?? door;
        const longer = { ...now, items: [...now.items, ...items], next };
        kept4.current.set(door.path, longer);
        instead(door, () => longer);
      } catch (err2) {
        const problem2 = asProblem(err2);
        if (asking.current.signal.aborted) return;
        const to = refused(problem2);
        if (to.is === "failed") setStuck(problem2);
        else set(to);
      } finally {
        reading2.current = false;
      }
    },
    async used(had2) {
      if (door.is !== "open") return;
      try {
        const link = await look(token2, door.path, new AbortController().signal);
        const now = { ...kept4.current.get(door.path) ?? door, link };
        kept4.current.set(door.path, now);
        instead(door, () => now);
      } catch (err2) {
        const to = refused(asProblem(err2));
        const limited = door.link.downloads_left !== null;
        if (to.is === "gone" && limited && had2) set((shown2) => shown2.is === "open" ? { ...shown2, over: true } : shown2);
        else if (to.is !== "failed") instead(door, () => to);
      }
    }
  };
}
function listed(link, path3) {
  if (link.kind !== "read") return { items: [], next: "" };
  return { items: link.items.map((item) => ({ ...item, id: below(path3, item.name) })), next: link.next_cursor ?? "" };
}
function refused(problem2) {
  if (problem2.code === "share_password_required") return { is: "locked" };
  return problem2.status === 404 ? { is: "gone" } : { is: "failed", problem: problem2 };
}

// src/share/guest-download.ts
var downloads2 = y3([]);
var running5 = O(() => downloads2.value.filter((d5) => d5.state.value === "running").length);
var large = 64 << 20;
var held3 = /* @__PURE__ */ new Map();
var key2 = ({ token: token2, path: path3 }) => `${token2}/${path3}`;
var contentOf = ({ token: token2, path: path3, zip }) => address(`/public/shares/{token}/${zip ? "archive" : "content"}`, { path: path3, ...!zip && { disposition: "attachment" } }, { token: token2 });
var thumbnailOf = (token2, path3) => address("/public/shares/{token}/thumbnail", { path: path3 }, { token: token2 });
async function read5(of, hold4, stop) {
  const had2 = held3.get(key2(of));
  if (had2) return new Response(had2);
  const response = await ask2(contentOf(of), {}, stop);
  if (!hold4) return response;
  const blob = await response.blob().catch(() => {
    throw broken();
  });
  held3.set(key2(of), blob);
  return new Response(blob);
}
function download3(wanted4, ended2) {
  guard3();
  if (downloads2.peek().some((d5) => key2(d5) === key2(wanted4) && d5.zip === wanted4.zip && d5.state.peek() === "running")) return;
  const mine2 = {
    ...wanted4,
    ended: ended2,
    id: ++ids2,
    received: y3(0),
    state: y3("running"),
    held: y3(false),
    problem: y3(void 0),
    meter: new Meter(),
    stop: new AbortController()
  };
  downloads2.value = [...downloads2.peek().filter((d5) => !(key2(d5) === key2(wanted4) && d5.zip === wanted4.zip)), mine2];
  void carry2(mine2);
}
var ids2 = 0;
function cancel2(d5) {
  d5.stop.abort();
  d5.state.value = "cancelled";
  void d5.sink?.drop();
  d5.sink = void 0;
}
function again2(d5) {
  if (!d5.sink || d5.zip) {
    forget3(d5);
    return download3({ token: d5.token, path: d5.path, name: d5.name, size: d5.size, zip: d5.zip }, d5.ended);
  }
  d5.stop = new AbortController();
  d5.problem.value = void 0;
  d5.state.value = "running";
  void carry2(d5);
}
function forget3(d5) {
  if (d5.state.peek() !== "done") void d5.sink?.drop();
  downloads2.value = downloads2.peek().filter((o5) => o5 !== d5);
}
async function carry2(d5) {
  const { signal } = d5.stop;
  const over3 = () => signal.aborted;
  try {
    const blob = held3.get(key2(d5));
    if (blob && !d5.zip) {
      d5.received.value = blob.size;
      give(blob, d5.name);
    } else if (d5.sink || await begun2(d5)) {
      await pull(d5, signal);
      await d5.sink.keep();
    } else {
      await ask2(d5.zip ? address("/public/shares/{token}", { path: d5.path, limit: 1 }, { token: d5.token }) : contentOf(d5), {}, signal, d5.zip ? "GET" : "HEAD");
      click(contentOf(d5), d5.name);
      d5.state.value = "handed";
      return d5.ended();
    }
    d5.state.value = "done";
    d5.ended();
  } catch (err2) {
    if (over3()) return;
    const problem2 = asProblem(err2);
    if (problem2.code === "cancelled") {
      d5.state.value = "cancelled";
      return;
    }
    d5.problem.value = problem2;
    d5.state.value = "failed";
    if (d5.zip) {
      await d5.sink?.drop();
      d5.sink = void 0;
    }
    d5.ended(problem2);
  }
}
async function begun2(d5) {
  const { showSaveFilePicker } = window;
  if (!d5.zip && d5.size < large) d5.sink = memory(d5.name);
  else if (showSaveFilePicker) {
    const handle = await showSaveFilePicker.call(window, { suggestedName: d5.name }).catch(() => {
      throw cancelled();
    });
    d5.sink = await file2(handle);
  }
  return d5.sink !== void 0;
}
function memory(name) {
  let parts = [];
  return {
    put: (chunk) => void parts.push(new Blob([chunk])),
    again: () => void (parts = []),
    keep: () => give(new Blob(parts), name),
    drop: () => void (parts = [])
  };
}
async function file2(handle) {
  const to = await handle.createWritable();
  return {
    put: (chunk) => to.write(chunk),
    again: () => to.truncate(0).then(() => to.seek(0)),
    keep: () => to.close(),
    // The picker has made an empty file.
    drop: () => to.abort().catch(() => void 0).then(() => handle.remove?.()).catch(() => void 0)
  };
}
var looks2 = 6;
async function pull(d5, stop) {
  for (let lost2 = 0; ; ) {
    const from = d5.received.peek();
    d5.meter.start(performance.now(), from);
    try {
      const response = await ask2(contentOf(d5), from > 0 && d5.etag ? { Range: `bytes=${from}-`, "If-Range": d5.etag } : {}, stop);
      if (from > 0 && response.status !== 206) {
        await d5.sink.again();
        d5.received.value = 0;
      }
      d5.etag = response.headers.get("ETag") ?? void 0;
      for (const reader = response.body.getReader(); ; ) {
        const { done, value } = await reader.read().catch(() => {
          throw broken();
        });
        if (done) break;
        await d5.sink.put(value);
        d5.received.value += value.length;
        d5.meter.note(performance.now(), d5.received.peek());
      }
      if (d5.size !== void 0 && d5.received.peek() < d5.size) throw broken();
      return;
    } catch (err2) {
      if (stop.aborted) throw err2;
      const problem2 = asProblem(err2);
      const mends = !d5.zip && (problem2.wait > 0 || problem2.code === "offline" || problem2.code === "download_broken");
      if (!mends) throw err2;
      if (d5.received.peek() > from) lost2 = 0;
      if (++lost2 > looks2) throw err2;
      d5.held.value = true;
      await pause3(problem2.wait * 1e3 || 500 * 2 ** lost2, stop);
      d5.held.value = false;
    }
  }
}
function pause3(ms, stop) {
  return new Promise((resolve) => {
    const timer2 = setTimeout(wake, ms);
    function wake() {
      clearTimeout(timer2);
      removeEventListener("online", wake);
      resolve();
    }
    stop.addEventListener("abort", wake, { once: true });
    addEventListener("online", wake);
  });
}
var broken = () => new Problem({ status: 0, code: "download_broken" });
async function ask2(to, headers, stop, method = "GET") {
  const response = await fetch(to, { method, headers, signal: stop, credentials: "same-origin", cache: "no-store" }).catch((err2) => {
    throw stop.aborted ? err2 : offline();
  });
  if (response.ok) return response;
  const body = await response.json().catch(() => void 0);
  const code = { 401: "share_password_required", 404: "share_not_found" }[response.status];
  throw body === void 0 && code ? new Problem({ status: response.status, code }) : problemOf(response.status, body, response.headers.get("Retry-After"));
}
function click(href, name) {
  const link = document.createElement("a");
  link.href = href;
  link.download = name;
  link.click();
}
var guarded2 = false;
function guard3() {
  if (guarded2) return;
  guarded2 = true;
  addEventListener("beforeunload", (event) => {
    if (running5.value > 0) event.preventDefault();
  });
}

// src/share/guest-words.ts
var t15 = catalog({
  en: {
    sharedTitle: "Shared with you",
    handInTitle: "Hand in files",
    sharedBy: "{owner} shares this with you",
    asksBy: "{owner} asks you for files",
    noteBy: "A note from {owner}",
    until: "Available until {at}",
    handInUntil: "Open until {at}",
    downloadsLeft: { one: "{count} download left", other: "{count} downloads left" },
    folder: "Folder",
    path: "Where you are",
    contents: "In {name}",
    openFolder: "Open {name}",
    look: "Show",
    lookOf: "Show {name}",
    downloadAll: "Download all",
    downloadFolder: "Download this folder",
    zipHint: "As one zip file.",
    zipOf: "Download {name} as a zip file",
    priceOfLook: { one: "Showing this file uses the last download. You can save it afterwards without using another.", other: "Showing this file uses one of {count} downloads. You can save it afterwards without using another." },
    empty: "This folder is empty",
    emptyText: "There is nothing to download here yet.",
    more: "Show more",
    downloads: "Downloads",
    downloadOf: "Download {name}",
    download: "Download",
    downloading: "Downloading {name}",
    preparing: "Starting …",
    received: "{size} so far",
    receivedOf: "{received} of {size}",
    lost: "The connection broke. The download continues by itself.",
    saved: "Saved",
    handed: "Your browser is downloading it.",
    cancelled: "Cancelled",
    cancelOf: "Cancel {name}",
    retryOf: "Try {name} again",
    dismissOf: "Take {name} off the list",
    over: "This link takes no more downloads. What you have downloaded stays yours.",
    lockedTitle: "This link has a password",
    lockedText: "Enter the password that you were given for it. It is asked for once in this browser.",
    password: "Password",
    continue: "Continue",
    goneTitle: "This link does not work",
    goneText: "It may have expired or been stopped, or a letter may be missing. Ask the person who sent it for a new one.",
    astrayTitle: "This is no longer here",
    astrayText: "It was moved or deleted, or the address is not complete.",
    toTop: "Open {name}",
    limitSize: "Each file at most {size}",
    limitCount: { one: "At most {count} more file", other: "At most {count} more files" },
    limitTypes: "Only {types}",
    limits: "What can be handed in",
    nothingShown: "You do not see what is in the folder, and others who hand in do not see your files.",
    from: "Your name (optional)",
    fromHint: "So that {owner} knows whose files these are.",
    chooseFiles: "Choose files",
    chooseMore: "Choose more files",
    orDrop: "or drop them here",
    dropHere: "Drop the files to add them",
    noFolders: { one: "“{name}” is a folder. Choose the files in it, or make a zip file of it first.", other: "{count} folders cannot be handed in. Choose the files in them, or make zip files of them first." },
    chosen: "Your files",
    handIn: { one: "Hand in {count} file", other: "Hand in {count} files" },
    progress: "{done} of {count} handed in",
    progressOf: "Progress of {name}",
    remove: "Remove {name}",
    tooLarge: "Too large: at most {size} a file.",
    wrongType: "Only {types} can be handed in here.",
    tooMany: { one: "Too many: this link takes {count} more file.", other: "Too many: this link takes {count} more files." },
    noRoom: "There is no room for this file where it goes. Please tell {owner}.",
    state_chosen: "Not handed in yet",
    state_waiting: "Waiting",
    state_busy: "The server is busy. It goes on by itself.",
    state_finishing: "Nearly done …",
    state_done: "Handed in",
    state_cancelled: "Cancelled",
    retryAll: "Try again what failed",
    closedNone: "This link no longer works. None of these files was handed in.",
    closed: { one: "This link no longer works. {count} file was handed in.", other: "This link no longer works. {count} files were handed in." },
    thanks: "Thank you",
    thanksText: { one: "{owner} has your file.", other: "{owner} has your {count} files." },
    thanksLeave: "You can close this page.",
    handInMore: "Hand in more files"
  },
  de: {
    sharedTitle: "Mit Ihnen geteilt",
    handInTitle: "Dateien abgeben",
    sharedBy: "{owner} teilt das mit Ihnen",
    asksBy: "{owner} bittet Sie um Dateien",
    noteBy: "Nachricht von {owner}",
    until: "Verfügbar bis {at}",
    handInUntil: "Offen bis {at}",
    downloadsLeft: { one: "noch {count} Download", other: "noch {count} Downloads" },
    folder: "Ordner",
    path: "Wo Sie sind",
    contents: "In {name}",
    openFolder: "{name} öffnen",
    look: "Ansehen",
    lookOf: "{name} ansehen",
    downloadAll: "Alles herunterladen",
    downloadFolder: "Diesen Ordner herunterladen",
    zipHint: "Als eine Zip-Datei.",
    zipOf: "{name} als Zip-Datei herunterladen",
    priceOfLook: { one: "Das Ansehen verbraucht den letzten Download. Speichern können Sie die Datei danach, ohne einen weiteren zu verbrauchen.", other: "Das Ansehen verbraucht einen von {count} Downloads. Speichern können Sie die Datei danach, ohne einen weiteren zu verbrauchen." },
    empty: "Dieser Ordner ist leer",
    emptyText: "Hier gibt es noch nichts herunterzuladen.",
    more: "Mehr anzeigen",
    downloads: "Downloads",
    downloadOf: "{name} herunterladen",
    download: "Herunterladen",
    downloading: "{name} wird heruntergeladen",
    preparing: "Beginnt …",
    received: "bisher {size}",
    receivedOf: "{received} von {size}",
    lost: "Die Verbindung brach ab. Der Download geht von selbst weiter.",
    saved: "Gespeichert",
    handed: "Ihr Browser lädt die Datei herunter.",
    cancelled: "Abgebrochen",
    cancelOf: "{name} abbrechen",
    retryOf: "{name} noch einmal versuchen",
    dismissOf: "{name} aus der Liste nehmen",
    over: "Dieser Link lässt keine weiteren Downloads zu. Was Sie heruntergeladen haben, behalten Sie.",
    lockedTitle: "Dieser Link hat ein Passwort",
    lockedText: "Geben Sie das Passwort ein, das Sie dafür bekommen haben. Dieser Browser fragt nur einmal danach.",
    password: "Passwort",
    continue: "Weiter",
    goneTitle: "Dieser Link funktioniert nicht",
    goneText: "Vielleicht ist er abgelaufen oder wurde beendet, oder es fehlt ein Zeichen. Bitten Sie die Person, die ihn gesendet hat, um einen neuen.",
    astrayTitle: "Das ist nicht mehr hier",
    astrayText: "Es wurde verschoben oder gelöscht, oder die Adresse ist unvollständig.",
    toTop: "{name} öffnen",
    limitSize: "Höchstens {size} je Datei",
    limitCount: { one: "Höchstens noch {count} Datei", other: "Höchstens noch {count} Dateien" },
    limitTypes: "Nur {types}",
    limits: "Was Sie abgeben können",
    nothingShown: "Sie sehen nicht, was im Ordner liegt, und andere sehen Ihre Dateien nicht.",
    from: "Ihr Name (freiwillig)",
    fromHint: "Damit {owner} weiß, von wem die Dateien sind.",
    chooseFiles: "Dateien auswählen",
    chooseMore: "Weitere Dateien auswählen",
    orDrop: "oder hierher ziehen",
    dropHere: "Loslassen, um die Dateien hinzuzufügen",
    noFolders: { one: "„{name}“ ist ein Ordner. Wählen Sie die Dateien darin aus, oder machen Sie zuerst eine Zip-Datei daraus.", other: "{count} Ordner lassen sich nicht abgeben. Wählen Sie die Dateien darin aus, oder machen Sie zuerst Zip-Dateien daraus." },
    chosen: "Ihre Dateien",
    handIn: { one: "{count} Datei abgeben", other: "{count} Dateien abgeben" },
    progress: "{done} von {count} abgegeben",
    progressOf: "Fortschritt von {name}",
    remove: "{name} entfernen",
    tooLarge: "Zu groß: höchstens {size} je Datei.",
    wrongType: "Hier lassen sich nur {types} abgeben.",
    tooMany: { one: "Zu viele: Dieser Link nimmt noch {count} Datei an.", other: "Zu viele: Dieser Link nimmt noch {count} Dateien an." },
    noRoom: "Für diese Datei ist am Ziel kein Platz. Bitte sagen Sie {owner} Bescheid.",
    state_chosen: "Noch nicht abgegeben",
    state_waiting: "Wartet",
    state_busy: "Der Server ist ausgelastet. Es geht von selbst weiter.",
    state_finishing: "Fast fertig …",
    state_done: "Abgegeben",
    state_cancelled: "Abgebrochen",
    retryAll: "Noch einmal versuchen, was fehlschlug",
    closedNone: "Dieser Link funktioniert nicht mehr. Keine dieser Dateien wurde abgegeben.",
    closed: { one: "Dieser Link funktioniert nicht mehr. {count} Datei wurde abgegeben.", other: "Dieser Link funktioniert nicht mehr. {count} Dateien wurden abgegeben." },
    thanks: "Vielen Dank",
    thanksText: { one: "{owner} hat Ihre Datei.", other: "{owner} hat Ihre {count} Dateien." },
    thanksLeave: "Sie können diese Seite schließen.",
    handInMore: "Weitere Dateien abgeben"
  }
});

// src/share/guest-downloads.tsx
function Downloads({ token: token2, focus }) {
  const mine2 = downloads2.value.filter((d5) => d5.token === token2);
  const moves2 = mine2.some((d5) => d5.state.value === "running");
  const [, tick] = d2(0);
  A2(() => {
    if (!moves2) return;
    const timer2 = setInterval(() => tick((n3) => n3 + 1), 1e3);
    return () => clearInterval(timer2);
  }, [moves2]);
  if (mine2.length === 0) return null;
  return /* @__PURE__ */ a4("section", { class: "guest-downloads", "aria-label": t15("downloads"), children: /* @__PURE__ */ a4("ul", { children: mine2.map((d5) => /* @__PURE__ */ a4(Row4, { of: d5, focus }, d5.id)) }) });
}
function Row4({ of: d5, focus }) {
  const state = d5.state.value;
  const { name } = d5;
  const press = (icon, label, run2) => /* @__PURE__ */ a4("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onClick: run2, children: /* @__PURE__ */ a4(Icon, { name: icon }) });
  return /* @__PURE__ */ a4("li", { class: "guest-transfer", children: [
    /* @__PURE__ */ a4("div", { class: "guest-row-text", children: [
      /* @__PURE__ */ a4("p", { class: "guest-row-name", children: /* @__PURE__ */ a4(Name, { name, read: true }) }),
      state === "running" && (d5.size === void 0 ? /* @__PURE__ */ a4("progress", { "aria-label": t15("downloading", { name }) }) : /* @__PURE__ */ a4("progress", { value: d5.received.value, max: Math.max(1, d5.size), "aria-label": t15("downloading", { name }) })),
      /* @__PURE__ */ a4("p", { class: "hint", role: state === "running" ? void 0 : "status", children: state === "failed" && d5.problem.value ? /* @__PURE__ */ a4("span", { class: "error", children: say(d5.problem.value) }) : numbers2(d5) })
    ] }),
    state === "done" && /* @__PURE__ */ a4(Icon, { name: "check", class: "good" }),
    (state === "failed" || state === "cancelled") && press("retry", t15("retryOf", { name }), () => again2(d5)),
    state === "running" ? press("close", t15("cancelOf", { name }), () => cancel2(d5)) : press("close", t15("dismissOf", { name }), () => {
      focus();
      forget3(d5);
    })
  ] });
}
function numbers2(d5) {
  const bytes2 = d5.received.value;
  switch (d5.state.value) {
    case "done":
      return [t15("saved"), size(bytes2)].join(" · ");
    case "handed":
      return t15("handed");
    case "cancelled":
      return t15("cancelled");
  }
  if (d5.held.value) return t15("lost");
  if (bytes2 === 0) return t15("preparing");
  if (d5.size === void 0) {
    const speed = d5.meter.speed(performance.now());
    return [t15("received", { size: size(bytes2) }), ...speed ? [perSecond(speed)] : []].join(" · ");
  }
  return [percent(bytes2, d5.size), t15("receivedOf", { received: size(bytes2), size: size(d5.size) }), ...pace(d5.meter, d5.size - bytes2)].join(" · ");
}

// src/share/guest-head.tsx
function Head3({ link, lead: lead2, facts, inside, children }) {
  return /* @__PURE__ */ a4("header", { class: "guest-head", children: [
    /* @__PURE__ */ a4("p", { class: "guest-lead", children: lead2 }),
    children,
    facts.length > 0 && /* @__PURE__ */ a4("ul", { class: "guest-said", children: facts.map((fact, i4) => /* @__PURE__ */ a4("li", { children: fact }, i4)) }),
    link.note && !inside && /* @__PURE__ */ a4("figure", { class: "guest-note", children: [
      /* @__PURE__ */ a4("figcaption", { children: t15("noteBy", { owner: link.owner }) }),
      /* @__PURE__ */ a4("blockquote", { children: link.note })
    ] })
  ] });
}
var until = (key3, at) => at ? [/* @__PURE__ */ a4(Time, { at, children: t15(key3, { at: dateTime(at) }) }, "until")] : [];

// src/share/guest-read.tsx
var factsOf = ({ link: { expires_at, downloads_left }, over: over3 }) => [
  ...until("until", expires_at),
  ...downloads_left === null || over3 ? [] : [t15("downloadsLeft", { count: downloads_left })]
];
function useSaving(token2, way) {
  const latest = T2(way);
  latest.current = way;
  const ended2 = (problem2) => {
    const had2 = downloads2.peek().some((d5) => d5.token === token2 && (d5.state.peek() === "done" || d5.state.peek() === "handed"));
    if (!problem2 || problem2.status === 404 || problem2.status === 401) void latest.current.used(had2);
  };
  return {
    file: (item) => download3({ token: token2, path: item.id, name: item.name, size: item.size }, ended2),
    zip: (item) => download3({ token: token2, path: item.id, name: item.name + ".zip", zip: true }, ended2),
    seen: () => void latest.current.used(true)
  };
}
function Single({ token: token2, at, way }) {
  const { link, over: over3 } = at;
  const item = { ...link.entry, id: at.path };
  const [looking, look2] = d2(false);
  const saving = useSaving(token2, way);
  const icon = iconOf2(item);
  const shows = kindOf(item) !== void 0 && !over3;
  const button = T2(null);
  return /* @__PURE__ */ a4("article", { class: "card guest-card", children: [
    /* @__PURE__ */ a4(Head3, { link, lead: t15("sharedBy", { owner: link.owner }), facts: [size(item.size), ...factsOf(at)], children: /* @__PURE__ */ a4("h1", { children: [
      !item.thumbnail && /* @__PURE__ */ a4(Icon, { name: icon, class: "kind kind-" + icon }),
      " ",
      /* @__PURE__ */ a4("span", { children: item.name })
    ] }) }),
    over3 ? /* @__PURE__ */ a4("p", { class: "notice", role: "status", children: t15("over") }) : /* @__PURE__ */ a4("div", { class: "card-buttons guest-main", children: [
      /* @__PURE__ */ a4("button", { type: "button", ref: button, class: "button primary big", onClick: () => saving.file(item), children: [
        /* @__PURE__ */ a4(Icon, { name: "download" }),
        " ",
        t15("download")
      ] }),
      shows && /* @__PURE__ */ a4("button", { type: "button", class: "button big", onClick: () => look2(true), children: [
        /* @__PURE__ */ a4(Icon, { name: "eye" }),
        " ",
        t15("look")
      ] })
    ] }),
    /* @__PURE__ */ a4(Downloads, { token: token2, focus: () => button.current?.focus() }),
    looking && /* @__PURE__ */ a4(Looking, { token: token2, link, items: [item], id: item.id, more: void 0, saving, onClose: () => look2(false) }),
    item.thumbnail && /* @__PURE__ */ a4(Hero, { token: token2, item, onLook: shows ? () => look2(true) : void 0 })
  ] });
}
function Folder({ token: token2, at, way }) {
  const { link, path: path3, items, over: over3 } = at;
  const [looking, look2] = d2();
  const saving = useSaving(token2, way);
  const list2 = T2(null);
  const button = T2(null);
  const icon = iconOf2(link.entry);
  const here2 = { id: path3, name: link.entry.name };
  useArrival(path3, list2);
  const more = at.next ? () => void way.more() : void 0;
  const names2 = path3 ? path3.split("/") : [];
  return /* @__PURE__ */ a4("div", { class: "guest-content", children: [
    /* @__PURE__ */ a4(Head3, { link, lead: t15("sharedBy", { owner: link.owner }), facts: factsOf(at), inside: names2.length > 0, children: [
      names2.length > 0 && /* @__PURE__ */ a4("nav", { class: "guest-above", "aria-label": t15("path"), children: /* @__PURE__ */ a4("ol", { children: [link.name, ...names2.slice(0, -1)].map((name, i4) => /* @__PURE__ */ a4("li", { children: /* @__PURE__ */ a4("a", { href: page(token2, names2.slice(0, i4).join("/")), "aria-label": name, children: /* @__PURE__ */ a4(Name, { name }) }) }, i4)) }) }),
      /* @__PURE__ */ a4("h1", { children: [
        /* @__PURE__ */ a4(Icon, { name: icon, class: "kind kind-" + icon }),
        " ",
        /* @__PURE__ */ a4("span", { children: link.entry.name })
      ] })
    ] }),
    over3 && /* @__PURE__ */ a4("p", { class: "notice", role: "status", children: t15("over") }),
    !over3 && items.length > 0 && /* @__PURE__ */ a4("div", { class: "card-buttons guest-main", children: [
      /* @__PURE__ */ a4("button", { type: "button", ref: button, class: "button primary big", onClick: () => saving.zip(here2), children: [
        /* @__PURE__ */ a4(Icon, { name: "download" }),
        " ",
        names2.length > 0 ? t15("downloadFolder") : t15("downloadAll")
      ] }),
      /* @__PURE__ */ a4("p", { class: "hint", children: t15("zipHint") })
    ] }),
    /* @__PURE__ */ a4(Downloads, { token: token2, focus: () => button.current?.focus() }),
    items.length === 0 ? /* @__PURE__ */ a4(Empty, { icon: "folder", title: t15("empty"), children: /* @__PURE__ */ a4("p", { children: t15("emptyText") }) }) : /* @__PURE__ */ a4("ul", { ref: list2, class: "guest-rows", "aria-label": t15("contents", { name: link.entry.name }), children: items.map((item) => /* @__PURE__ */ a4("li", { class: "guest-row", "data-name": item.name, children: [
      /* @__PURE__ */ a4(Picture2, { token: token2, item, small: true }),
      /* @__PURE__ */ a4("div", { class: "guest-row-text", children: [
        /* @__PURE__ */ a4("p", { class: "guest-row-name", children: item.kind === "folder" ? /* @__PURE__ */ a4("a", { href: page(token2, item.id), "aria-label": t15("openFolder", { name: item.name }), children: /* @__PURE__ */ a4(Name, { name: item.name }) }) : /* @__PURE__ */ a4("button", { type: "button", class: "link", "aria-label": t15("lookOf", { name: item.name }), onClick: () => look2(item.id), children: /* @__PURE__ */ a4(Name, { name: item.name }) }) }),
        /* @__PURE__ */ a4("p", { class: "hint", children: [
          item.kind === "folder" ? t15("folder") : size(item.size),
          " · ",
          /* @__PURE__ */ a4(Time, { at: item.modified_at, children: date(item.modified_at) })
        ] })
      ] }),
      !over3 && /* @__PURE__ */ a4(Save2, { item, onSave: () => item.kind === "folder" ? saving.zip(item) : saving.file(item) })
    ] }, item.id)) }),
    at.next && /* @__PURE__ */ a4(More2, { load: way.more, problem: way.stuck }),
    looking !== void 0 && /* @__PURE__ */ a4(Looking, { token: token2, link, items, id: looking, more, saving, onClose: (last3) => {
      look2(void 0);
      rowOf(list2.current, items.find((i4) => i4.id === last3)?.name)?.focus();
    } })
  ] });
}
function Save2({ item, onSave }) {
  const label = item.kind === "folder" ? t15("zipOf", { name: item.name }) : t15("downloadOf", { name: item.name });
  return /* @__PURE__ */ a4("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onClick: onSave, children: /* @__PURE__ */ a4(Icon, { name: "download" }) });
}
var rowOf = (list2, name) => [...list2?.querySelectorAll("[data-name]") ?? []].find((row) => row.dataset.name === name)?.querySelector("a, .link");
function useArrival(path3, list2) {
  const was = T2(path3);
  A2(() => {
    const from = was.current;
    was.current = path3;
    if (from === path3) return;
    const back = path3 === "" || from.startsWith(path3 + "/") ? from.slice(path3 ? path3.length + 1 : 0).split("/")[0] : void 0;
    const row = back && rowOf(list2.current, back);
    if (row) return row.focus();
    scrollTo(0, 0);
    focusMain();
  }, [path3]);
}
function Looking({ token: token2, link, items, id, more, saving, onClose }) {
  const left2 = link.downloads_left;
  return /* @__PURE__ */ a4(
    Preview,
    {
      items,
      id,
      more,
      onClose,
      onSave: saving.file,
      price: () => left2 === null ? void 0 : t15("priceOfLook", { count: left2 }),
      read: async (item, signal) => {
        const response = await read5({ token: token2, path: item.id }, left2 !== null, signal);
        if (left2 !== null) saving.seen();
        return response;
      }
    }
  );
}
function Hero({ token: token2, item, onLook }) {
  const picture = /* @__PURE__ */ a4(Picture2, { token: token2, item });
  return onLook ? /* @__PURE__ */ a4("button", { type: "button", class: "guest-hero", "aria-label": t15("lookOf", { name: item.name }), onClick: onLook, children: picture }) : /* @__PURE__ */ a4("div", { class: "guest-hero", children: picture });
}
function Picture2({ token: token2, item, small: small2 }) {
  const [broken2, setBroken] = d2(false);
  const icon = iconOf2(item);
  return /* @__PURE__ */ a4("span", { class: small2 ? "guest-thumb" : "guest-picture", children: item.thumbnail && !broken2 ? /* @__PURE__ */ a4("img", { src: thumbnailOf(token2, item.id), alt: "", loading: small2 ? "lazy" : void 0, onError: () => setBroken(true) }) : /* @__PURE__ */ a4(Icon, { name: icon, class: "kind kind-" + icon }) });
}
function More2({ load: load2, problem: problem2 }) {
  const button = T2(null);
  const latest = T2(load2);
  latest.current = load2;
  A2(() => {
    if (problem2) return;
    const watch = new IntersectionObserver((seen) => seen.some((s4) => s4.isIntersecting) && void latest.current(), { rootMargin: "800px" });
    watch.observe(button.current);
    return () => watch.disconnect();
  });
  return /* @__PURE__ */ a4("div", { class: "guest-rest", children: [
    problem2 && /* @__PURE__ */ a4(Failed, { problem: problem2 }),
    /* @__PURE__ */ a4("button", { ref: button, type: "button", class: "button", onClick: () => void load2(), children: t15("more") })
  ] });
}

// src/share/hand-in.ts
var handings = y3([]);
var runs2 = (h5) => h5.state.value === "waiting" || h5.state.value === "sending";
var running6 = O(() => handings.value.filter(runs2).length);
function limitOf(file3, { max_file_bytes: most6, accept }) {
  if (most6 !== null && file3.size > most6) return "tooLarge";
  const name = file3.name.toLowerCase();
  return accept.length > 0 && !accept.some((ending2) => name.endsWith(ending2.toLowerCase())) ? "wrongType" : void 0;
}
function judged(some, limits2, left2) {
  const out = /* @__PURE__ */ new Map();
  let free = left2 ?? Infinity;
  for (const h5 of some) {
    const limit = limitOf(h5.file, limits2) ?? (free <= 0 ? "tooMany" : void 0);
    if (limit) out.set(h5, limit);
    else free--;
  }
  return out;
}
var ids3 = 0;
function choose4(token2, files) {
  const same2 = (a5, b4) => a5.name === b4.name && a5.size === b4.size && a5.lastModified === b4.lastModified;
  const mine2 = handings.peek().filter((h5) => h5.token === token2);
  const fresh2 = files.filter((file3) => !mine2.some((h5) => same2(h5.file, file3) && h5.state.peek() !== "cancelled"));
  handings.value = [...handings.peek().filter((h5) => h5.token !== token2 || h5.state.peek() !== "cancelled"), ...fresh2.map((file3) => ({
    id: ++ids3,
    token: token2,
    file: file3,
    state: y3("chosen"),
    sent: y3(0),
    held: y3(false),
    problem: y3(void 0),
    meter: new Meter(),
    stop: new AbortController()
  }))];
}
function remove(h5) {
  handings.value = handings.peek().filter((o5) => o5 !== h5);
}
function forget4(token2) {
  handings.value = handings.peek().filter((h5) => h5.token !== token2 || h5.state.peek() !== "done");
}
function cancel3(h5) {
  h5.state.value = "cancelled";
  h5.stop.abort();
}
function handIn(some, how3) {
  guard4();
  for (const h5 of some) {
    h5.stop = new AbortController();
    h5.problem.value = void 0;
    h5.sent.value = 0;
    h5.state.value = "waiting";
    ways.set(h5, how3);
  }
  work3();
}
var ways = /* @__PURE__ */ new WeakMap();
var atOnce4 = 2;
var busy2 = 0;
function work3() {
  while (busy2 < atOnce4) {
    const next = handings.peek().find((h5) => h5.state.peek() === "waiting");
    if (!next) return;
    next.state.value = "sending";
    busy2++;
    void carry3(next).finally(() => {
      busy2--;
      work3();
    });
  }
}
var ofLink = (p5) => p5.status === 404 || p5.code === "share_password_required";
var patience3 = 60;
async function carry3(h5) {
  const { signal } = h5.stop;
  const { from, ended: ended2 } = ways.get(h5);
  try {
    for (let tries = 0; ; ) {
      try {
        await send3(h5, from, signal);
        break;
      } catch (err2) {
        const { wait } = asProblem(err2);
        if (signal.aborted || !wait || ++tries > patience3) throw err2;
        h5.held.value = true;
        await pause4(wait * 1e3, signal);
        h5.held.value = false;
      }
    }
    h5.state.value = "done";
  } catch (err2) {
    if (signal.aborted) return;
    const problem2 = asProblem(err2);
    fail2(h5, problem2.code === "offline" && !await readable2(h5.file) ? new Problem({ status: -1, code: "file_changed" }) : problem2);
    if (!ofLink(problem2)) return;
    for (const other of handings.peek()) {
      if (other.token !== h5.token || !runs2(other)) continue;
      other.stop.abort();
      fail2(other, problem2);
    }
    ended2(problem2);
  }
}
function fail2(h5, problem2) {
  h5.held.value = false;
  h5.problem.value = problem2;
  h5.state.value = "failed";
}
var readable2 = (file3) => file3.slice(0, 1).arrayBuffer().then(() => true, () => false);
function pause4(ms, stop) {
  return new Promise((resolve) => {
    const timer2 = setTimeout(resolve, ms);
    stop.addEventListener("abort", () => (clearTimeout(timer2), resolve()), { once: true });
  });
}
function send3(h5, from, stop) {
  return new Promise((resolve, reject) => {
    if (stop.aborted) return reject(cancelled());
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    stop.addEventListener("abort", abort);
    h5.sent.value = 0;
    h5.meter.start(performance.now(), 0);
    request.open("POST", address("/public/shares/{token}/files", {}, { token: h5.token }));
    request.upload.onprogress = ({ loaded }) => {
      h5.sent.value = Math.min(h5.file.size, loaded);
      h5.meter.note(performance.now(), h5.sent.peek());
    };
    request.onload = () => {
      hearTime(request.getResponseHeader("Date"));
      if (request.status >= 200 && request.status < 300) return resolve();
      reject(problemOf(request.status, parsed2(request.responseText), request.getResponseHeader("Retry-After")));
    };
    request.onerror = () => reject(offline());
    request.onabort = () => reject(cancelled());
    request.onloadend = () => stop.removeEventListener("abort", abort);
    const form = new FormData();
    if (from) form.append("from", from);
    form.append("file", h5.file, h5.file.name);
    request.send(form);
  });
}
function parsed2(text2) {
  try {
    return JSON.parse(text2);
  } catch {
    return void 0;
  }
}
var guarded3 = false;
function guard4() {
  if (guarded3) return;
  guarded3 = true;
  addEventListener("beforeunload", (event) => {
    if (running6.value > 0) event.preventDefault();
  });
}

// src/share/guest-request.tsx
var stored7 = "coffer.from";
function HandIn({ token: token2, link, way }) {
  const [from, setFrom] = d2(() => sessionStorage.getItem(stored7) ?? "");
  const [closed, close] = d2(false);
  const [folders2, setFolders] = d2([]);
  const mine2 = handings.value.filter((h5) => h5.token === token2 && h5.state.value !== "cancelled");
  const done = mine2.filter((h5) => h5.state.value === "done");
  const open2 = mine2.filter((h5) => h5.state.value !== "done");
  const left2 = useLeft(link, done.length);
  const limits2 = judged(open2.filter((h5) => h5.state.value !== "failed"), link, left2);
  const ready = open2.filter((h5) => h5.state.value === "chosen" && !limits2.has(h5));
  const failed = open2.filter((h5) => h5.state.value === "failed");
  const moving = open2.filter(runs2);
  const over3 = done.length > 0 && open2.length === 0;
  const main = T2(null);
  const send4 = (some) => {
    setFolders([]);
    handIn(some, { from: from.trim(), ended: (problem2) => problem2.status === 404 ? close(true) : void way.load() });
  };
  const take4 = (files) => {
    if (!closed) choose4(token2, files);
    setFolders([]);
  };
  const caught = (transfer) => {
    const dropped3 = droppedOf(transfer);
    take4(dropped3.files);
    setFolders(dropped3.folders);
  };
  const types2 = link.accept.join(", ");
  const words2 = {
    tooLarge: t15("tooLarge", { size: size(link.max_file_bytes ?? 0) }),
    wrongType: t15("wrongType", { types: types2 }),
    tooMany: t15("tooMany", { count: left2 ?? 0 })
  };
  const list2 = /* @__PURE__ */ a4("ul", { class: "guest-rows", "aria-label": t15("chosen"), children: mine2.map((h5) => /* @__PURE__ */ a4(Row5, { of: h5, limit: limits2.has(h5) ? words2[limits2.get(h5)] : void 0, owner: link.owner, retry: closed ? void 0 : () => send4([h5]), focus: () => main.current?.focus() }, h5.id)) });
  if (over3) return /* @__PURE__ */ a4(Thanks, { token: token2, owner: link.owner, count: done.length, again: closed || left2 === 0 ? void 0 : way.load, children: list2 });
  const empty = mine2.length === 0;
  const rules = [
    ...link.max_file_bytes === null ? [] : [t15("limitSize", { size: size(link.max_file_bytes) })],
    ...left2 === null ? [] : [t15("limitCount", { count: left2 })],
    ...types2 ? [t15("limitTypes", { types: types2 })] : []
  ];
  const pick3 = () => ask3(link.accept, take4);
  return /* @__PURE__ */ a4("article", { class: "card guest-card", children: [
    /* @__PURE__ */ a4(Head3, { link, lead: t15("asksBy", { owner: link.owner }), facts: until("handInUntil", link.expires_at), children: /* @__PURE__ */ a4("h1", { children: link.name }) }),
    closed ? /* @__PURE__ */ a4("p", { class: "notice bad", role: "alert", children: [
      /* @__PURE__ */ a4(Icon, { name: "warning" }),
      " ",
      /* @__PURE__ */ a4("span", { children: done.length > 0 ? t15("closed", { count: done.length }) : t15("closedNone") })
    ] }) : /* @__PURE__ */ a4($, { children: [
      /* @__PURE__ */ a4(Field, { name: "from", label: t15("from"), hint: t15("fromHint", { owner: link.owner }), value: from, maxLength: 100, autoComplete: "name", onInput: (value) => {
        setFrom(value);
        sessionStorage.setItem(stored7, value);
      } }),
      /* @__PURE__ */ a4("div", { class: empty ? "guest-target" : "guest-target small", children: [
        empty && /* @__PURE__ */ a4(Icon, { name: "upload", class: "guest-target-icon" }),
        /* @__PURE__ */ a4("button", { type: "button", ref: empty ? main : void 0, class: empty ? "button primary big" : "button", onClick: pick3, children: [
          /* @__PURE__ */ a4(Icon, { name: empty ? "file" : "plus" }),
          " ",
          empty ? t15("chooseFiles") : t15("chooseMore")
        ] }),
        /* @__PURE__ */ a4("p", { class: "hint guest-desk", children: t15("orDrop") }),
        rules.length > 0 && /* @__PURE__ */ a4("ul", { class: "guest-said", "aria-label": t15("limits"), children: rules.map((rule) => /* @__PURE__ */ a4("li", { children: rule }, rule)) })
      ] }),
      folders2.length > 0 && /* @__PURE__ */ a4("p", { class: "notice bad", role: "alert", children: [
        /* @__PURE__ */ a4(Icon, { name: "warning" }),
        " ",
        /* @__PURE__ */ a4("span", { children: t15("noFolders", { count: folders2.length, name: folders2[0] }) })
      ] })
    ] }),
    /* @__PURE__ */ a4("p", { class: moving.length > 0 ? "hint" : "hidden", role: "status", children: moving.length > 0 && t15("progress", { done: done.length, count: done.length + moving.length }) }),
    !closed && (ready.length > 0 || failed.length > 1) && /* @__PURE__ */ a4("div", { class: "card-buttons guest-main", children: [
      ready.length > 0 && /* @__PURE__ */ a4("button", { type: "button", ref: main, class: "button primary big", onClick: () => send4(ready), children: [
        /* @__PURE__ */ a4(Icon, { name: "upload" }),
        " ",
        t15("handIn", { count: ready.length })
      ] }),
      failed.length > 1 && /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => send4(failed), children: [
        /* @__PURE__ */ a4(Icon, { name: "retry" }),
        " ",
        t15("retryAll")
      ] })
    ] }),
    !empty && list2,
    /* @__PURE__ */ a4("p", { class: "aside", children: t15("nothingShown") }),
    !closed && /* @__PURE__ */ a4(DropZone, { label: t15("dropHere"), onDrop: caught })
  ] });
}
function useLeft(link, done) {
  const began = T2({ link, done });
  if (began.current.link !== link) began.current = { link, done };
  return link.files_left === null ? null : Math.max(0, link.files_left - (done - began.current.done));
}
function ask3(accept, take4) {
  const field = document.createElement("input");
  field.type = "file";
  field.multiple = true;
  field.accept = accept.join(",");
  field.hidden = true;
  field.addEventListener("change", () => {
    field.remove();
    take4([...field.files]);
  });
  field.addEventListener("cancel", () => field.remove());
  document.body.append(field);
  field.click();
}
function droppedOf(transfer) {
  const files = [];
  const folders2 = [];
  for (const item of transfer.items) {
    const file3 = item.kind === "file" ? item.getAsFile() : null;
    if (!file3) continue;
    if (item.webkitGetAsEntry()?.isDirectory) folders2.push(file3.name);
    else files.push(file3);
  }
  return { files, folders: folders2 };
}
function why2(problem2, owner) {
  if (problem2.code === "quota_exceeded") return t15("noRoom", { owner });
  return problem2.fields[0] ? sayField(problem2.fields[0]) : say(problem2);
}
function Row5({ of: h5, limit, owner, retry: retry2, focus }) {
  const state = h5.state.value;
  const sending = state === "sending";
  const [, tick] = d2(0);
  A2(() => {
    if (!sending) return;
    const timer2 = setInterval(() => tick((n3) => n3 + 1), 1e3);
    return () => clearInterval(timer2);
  }, [sending]);
  const { name } = h5.file;
  const icon = iconOf2({ kind: "file", name });
  const problem2 = h5.problem.value;
  const wrong = limit ?? (state === "failed" && problem2 ? why2(problem2, owner) : void 0);
  const press = (sign2, label, run2) => /* @__PURE__ */ a4("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onClick: run2, children: /* @__PURE__ */ a4(Icon, { name: sign2 }) });
  return /* @__PURE__ */ a4("li", { class: "guest-row guest-handing", "data-name": name, children: [
    /* @__PURE__ */ a4("span", { class: "guest-thumb", children: /* @__PURE__ */ a4(Icon, { name: icon, class: "kind kind-" + icon }) }),
    /* @__PURE__ */ a4("div", { class: "guest-row-text", children: [
      /* @__PURE__ */ a4("p", { class: "guest-row-name", children: /* @__PURE__ */ a4(Name, { name, read: true }) }),
      sending && /* @__PURE__ */ a4("progress", { value: h5.sent.value, max: Math.max(1, h5.file.size), "aria-label": t15("progressOf", { name }) }),
      wrong ? /* @__PURE__ */ a4("p", { class: "error", role: "alert", children: [
        /* @__PURE__ */ a4(Icon, { name: "warning" }),
        " ",
        wrong
      ] }) : /* @__PURE__ */ a4("p", { class: "hint", children: numbers3(h5) })
    ] }),
    state === "done" && /* @__PURE__ */ a4(Icon, { name: "check", class: "good" }),
    state === "failed" && retry2 && press("retry", t15("retryOf", { name }), retry2),
    runs2(h5) && press("close", t15("cancelOf", { name }), () => cancel3(h5)),
    (state === "chosen" || state === "failed") && press("close", t15("remove", { name }), () => {
      focus();
      remove(h5);
    })
  ] });
}
function numbers3(h5) {
  const state = h5.state.value;
  const whole7 = h5.file.size;
  if (state !== "sending" || h5.held.value) return [state === "sending" || state === "failed" ? t15("state_busy") : t15(`state_${state}`), size(whole7)].join(" · ");
  const sent = h5.sent.value;
  if (sent >= whole7) return t15("state_finishing");
  return [percent(sent, whole7), t15("receivedOf", { received: size(sent), size: size(whole7) }), ...pace(h5.meter, whole7 - sent)].join(" · ");
}
function Thanks({ token: token2, owner, count: count2, again: again3, children }) {
  A2(() => focusMain(), []);
  return /* @__PURE__ */ a4("article", { class: "card guest-card", children: [
    /* @__PURE__ */ a4("div", { class: "guest-thanks", children: [
      /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "check" }) }),
      /* @__PURE__ */ a4("h1", { children: t15("thanks") }),
      /* @__PURE__ */ a4("p", { role: "status", children: [
        t15("thanksText", { owner, count: count2 }),
        " ",
        t15("thanksLeave")
      ] })
    ] }),
    children,
    again3 && /* @__PURE__ */ a4("div", { class: "card-buttons", children: /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => {
      forget4(token2);
      void again3().then(focusMain);
    }, children: [
      /* @__PURE__ */ a4(Icon, { name: "plus" }),
      " ",
      t15("handInMore")
    ] }) })
  ] });
}

// src/share/guest-page.tsx
var called2 = y3("");
var titleOfShared = () => called2.value || t15("sharedTitle");
var Shared = ({ params }) => /* @__PURE__ */ a4(Page, { token: params.token }, params.token);
function Page({ token: token2 }) {
  const path3 = new URLSearchParams(place.value.search).get("path") ?? "";
  const way = useWay(token2, path3);
  const { door } = way;
  const read7 = door.is === "open" && door.link.kind === "read" ? door.link.entry.name : "";
  A2(() => {
    called2.value = read7;
    return () => {
      called2.value = "";
    };
  }, [read7]);
  const was = T2(door.is);
  A2(() => {
    if (was.current !== "loading" && was.current !== door.is && door.is !== "locked") focusMain();
    was.current = door.is;
  }, [door.is]);
  switch (door.is) {
    case "loading":
      return /* @__PURE__ */ a4(Skeleton, {});
    case "failed":
      return /* @__PURE__ */ a4($, { children: [
        /* @__PURE__ */ a4("h1", { children: t15("sharedTitle") }),
        /* @__PURE__ */ a4(Failed, { problem: door.problem, retry: way.load })
      ] });
    case "gone":
      return /* @__PURE__ */ a4(Stop2, { icon: "link", title: t15("goneTitle"), children: /* @__PURE__ */ a4("p", { children: t15("goneText") }) });
    case "locked":
      return /* @__PURE__ */ a4(Locked, { token: token2, then: way.load });
    case "astray":
      return /* @__PURE__ */ a4(Empty, { icon: "folder", title: t15("astrayTitle"), page: true, children: [
        /* @__PURE__ */ a4("p", { children: t15("astrayText") }),
        /* @__PURE__ */ a4("p", { children: /* @__PURE__ */ a4("a", { class: "button primary", href: page(token2, ""), children: t15("toTop", { name: door.name }) }) })
      ] });
    case "open":
      if (door.link.kind === "request") return /* @__PURE__ */ a4(HandIn, { token: token2, link: door.link, way });
      return door.link.entry.kind === "folder" ? /* @__PURE__ */ a4(Folder, { token: token2, at: { ...door, link: door.link }, way }) : /* @__PURE__ */ a4(Single, { token: token2, at: { ...door, link: door.link }, way });
  }
}
function Stop2({ icon, title, children }) {
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: icon }) }),
    /* @__PURE__ */ a4("h1", { children: title }),
    children
  ] });
}
function Locked({ token: token2, then }) {
  return /* @__PURE__ */ a4(Stop2, { icon: "key", title: t15("lockedTitle"), children: [
    /* @__PURE__ */ a4("p", { children: t15("lockedText") }),
    /* @__PURE__ */ a4(Form, { submit: t15("continue"), onSubmit: async ({ password = "" }) => {
      await unlock(token2, password);
      await then();
    }, children: /* @__PURE__ */ a4(Password, { name: "password", label: t15("password"), autoComplete: "current-password", required: true, autoFocus: true }) })
  ] });
}

// src/share/guest-routes.ts
var guestRoutes = [
  { path: "/s/:token", page: Shared, title: titleOfShared, open: true, alone: true },
  { path: "/r/:token", page: Shared, title: () => t15("handInTitle"), open: true, alone: true }
];

// src/share/words.ts
var t16 = catalog({
  en: {
    share: "Share",
    sharing: "Sharing",
    sharingOf: "Sharing of {name}",
    shared: "Shared",
    sharedText: "Your links to files and folders. Whoever has one needs no account.",
    sharedEmpty: "You share nothing yet",
    sharedEmptyText: "Choose “Share” in the menu of a file or folder. Whoever has the link needs no account.",
    toFiles: "Go to your files",
    requests: "Requests",
    requestsText: "Links by which others hand in files. They see nothing of the folder.",
    requestsEmpty: "No requests yet",
    requestsEmptyText: "Ask others for files: they open your link, hand in, and see nothing of the folder. They need no account.",
    request: "Request files",
    requestText: "Others hand files in by a link, without an account. They see nothing of the folder.",
    isShared: "{name} is shared",
    isSharedShort: "Shared",
    makeFile: "Whoever has the link can see and download this file, without an account.",
    makeFolder: "Whoever has the link can see and download everything in this folder, without an account.",
    make: "Create link",
    makeRequest: "Create link",
    another: "Another link",
    shareFolder: "Share this folder",
    linkTo: "Link",
    linkFor: "Link to hand in files",
    address: "Address of “{name}”",
    copyLink: "Copy link",
    linkMenu: "Actions for {name}",
    changeDo: "Change…",
    change: "Change the link",
    changeRequest: "Change the request",
    save: "Save changes",
    uses: "Uses",
    usesNone: "Nobody has used this link yet.",
    usesKept: "The newest 1,000 uses of the last 90 days.",
    did_download: "Downloaded",
    did_archive: "Downloaded as a zip",
    did_upload: "Handed in",
    did_unlock: "Password entered",
    from: "from {name}",
    qr: "QR code",
    qrOf: "QR code of the link to {name}",
    qrHint: "Scan it with the camera of a phone to open the link there.",
    sendBy: "Send…",
    showPlace: "Show in folder",
    openFolder: "Open folder",
    stop: "Stop sharing",
    stopRequest: "Close request",
    stopTitle: "Stop sharing?",
    stopRequestTitle: "Close this request?",
    stopText: "This link stops working at once, for downloads that are running too. It cannot be brought back; you can create another.",
    stopRequestText: "This link stops working at once. What was handed in stays in the folder.",
    state_expired: "Expired",
    state_used_up: "Used up",
    state_blocked: "Blocked",
    blockedText: "Whoever runs this server has blocked this link. It works for nobody.",
    inTrash: "In the trash",
    inTrashText: "What it leads to is in the trash. The link works again when you restore it.",
    inPlace: "in {place}",
    top: "Files",
    withPassword: "Password",
    until: "until {time}",
    expiredAt: "expired {time}",
    downloadsOf: { one: "{done} of {count} download", other: "{done} of {count} downloads" },
    downloadsDone: { one: "{count} download", other: "{count} downloads" },
    filesOf: { one: "{done} of {count} file", other: "{done} of {count} files" },
    filesDone: { one: "{count} file", other: "{count} files" },
    lastUsed: "last used",
    more: "Show more",
    expires: "Expires",
    keepUntil: "Until {time}",
    keepExpired: "Expired {time}",
    never: "Never",
    inDays: { one: "In {count} day", other: "In {count} days" },
    onDay: "After a day of your choice",
    lastDay: "Last day",
    password: "Password",
    newPassword: "New password",
    passwordHint: "Empty: no password. Else at least 4 characters; tell it separately from the link.",
    passwordNewHint: "The old one no longer works then.",
    passwordKeep: "Keep the password",
    passwordNew: "Set another password",
    passwordNone: "No password",
    downloads: "Downloads",
    emptyNoLimit: "Empty: no limit.",
    soFar: { one: "Empty: no limit. {count} so far.", other: "Empty: no limit. {count} so far." },
    note: "Note to the receiver",
    noteHint: "Shown on the page of the link.",
    noteRequest: "What do you ask for?",
    maxFiles: "Number of files",
    maxSize: "Largest file",
    noLimit: "No limit",
    accept: "Kinds of files",
    acceptHint: "Endings such as .pdf, .docx. Empty: any.",
    where: "Where the files go",
    whereNew: "Into a new folder",
    whereOwn: "Into a folder of yours",
    folderName: "Name of the folder",
    folderDefault: "Received files",
    goLinks: "Your links: nobody can use them any longer"
  },
  de: {
    share: "Teilen",
    sharing: "Freigabe",
    sharingOf: "Freigabe von {name}",
    shared: "Geteilt",
    sharedText: "Ihre Links zu Dateien und Ordnern. Wer einen hat, braucht kein Konto.",
    sharedEmpty: "Sie teilen noch nichts",
    sharedEmptyText: "Wählen Sie „Teilen“ im Menü einer Datei oder eines Ordners. Wer den Link hat, braucht kein Konto.",
    toFiles: "Zu Ihren Dateien",
    requests: "Dateianfragen",
    requestsText: "Links, über die andere Dateien abgeben. Vom Ordner sehen sie nichts.",
    requestsEmpty: "Noch keine Dateianfragen",
    requestsEmptyText: "Bitten Sie andere um Dateien: Sie öffnen Ihren Link, geben ab und sehen nichts vom Ordner. Ein Konto brauchen sie nicht.",
    request: "Dateien anfordern",
    requestText: "Andere geben Dateien über einen Link ab, ohne Konto. Vom Ordner sehen sie nichts.",
    isShared: "{name} ist geteilt",
    isSharedShort: "Geteilt",
    makeFile: "Wer den Link hat, kann diese Datei ansehen und herunterladen, ohne Konto.",
    makeFolder: "Wer den Link hat, kann alles in diesem Ordner ansehen und herunterladen, ohne Konto.",
    make: "Link erstellen",
    makeRequest: "Link erstellen",
    another: "Weiterer Link",
    shareFolder: "Diesen Ordner teilen",
    linkTo: "Link",
    linkFor: "Link zum Abgeben",
    address: "Adresse von „{name}“",
    copyLink: "Link kopieren",
    linkMenu: "Aktionen für {name}",
    changeDo: "Ändern …",
    change: "Link ändern",
    changeRequest: "Dateianfrage ändern",
    save: "Änderungen speichern",
    uses: "Zugriffe",
    usesNone: "Diesen Link hat noch niemand benutzt.",
    usesKept: "Die neuesten 1.000 Zugriffe der letzten 90 Tage.",
    did_download: "Heruntergeladen",
    did_archive: "Als Zip heruntergeladen",
    did_upload: "Abgegeben",
    did_unlock: "Passwort eingegeben",
    from: "von {name}",
    qr: "QR-Code",
    qrOf: "QR-Code des Links zu {name}",
    qrHint: "Scannen Sie ihn mit der Kamera eines Telefons, um den Link dort zu öffnen.",
    sendBy: "Senden …",
    showPlace: "Im Ordner zeigen",
    openFolder: "Ordner öffnen",
    stop: "Freigabe beenden",
    stopRequest: "Dateianfrage schließen",
    stopTitle: "Freigabe beenden?",
    stopRequestTitle: "Dateianfrage schließen?",
    stopText: "Dieser Link gilt sofort nicht mehr, auch für laufende Downloads. Er lässt sich nicht zurückholen; Sie können einen neuen erstellen.",
    stopRequestText: "Dieser Link gilt sofort nicht mehr. Was abgegeben wurde, bleibt im Ordner.",
    state_expired: "Abgelaufen",
    state_used_up: "Aufgebraucht",
    state_blocked: "Gesperrt",
    blockedText: "Wer diesen Server betreibt, hat den Link gesperrt. Er gilt für niemanden.",
    inTrash: "Im Papierkorb",
    inTrashText: "Das Ziel liegt im Papierkorb. Der Link gilt wieder, wenn Sie es wiederherstellen.",
    inPlace: "in {place}",
    top: "Dateien",
    withPassword: "Passwort",
    until: "bis {time}",
    expiredAt: "abgelaufen {time}",
    downloadsOf: { one: "{done} von {count} Download", other: "{done} von {count} Downloads" },
    downloadsDone: { one: "{count} Download", other: "{count} Downloads" },
    filesOf: { one: "{done} von {count} Datei", other: "{done} von {count} Dateien" },
    filesDone: { one: "{count} Datei", other: "{count} Dateien" },
    lastUsed: "zuletzt benutzt",
    more: "Mehr anzeigen",
    expires: "Läuft ab",
    keepUntil: "Am {time}",
    keepExpired: "Abgelaufen {time}",
    never: "Nie",
    inDays: { one: "In {count} Tag", other: "In {count} Tagen" },
    onDay: "Nach einem Tag Ihrer Wahl",
    lastDay: "Letzter Tag",
    password: "Passwort",
    newPassword: "Neues Passwort",
    passwordHint: "Leer: kein Passwort. Sonst mindestens 4 Zeichen; teilen Sie es getrennt vom Link mit.",
    passwordNewHint: "Das alte gilt dann nicht mehr.",
    passwordKeep: "Passwort behalten",
    passwordNew: "Anderes Passwort setzen",
    passwordNone: "Kein Passwort",
    downloads: "Downloads",
    emptyNoLimit: "Leer: unbegrenzt.",
    soFar: { one: "Leer: unbegrenzt. Bisher {count}.", other: "Leer: unbegrenzt. Bisher {count}." },
    note: "Nachricht an Empfänger",
    noteHint: "Steht auf der Seite des Links.",
    noteRequest: "Worum bitten Sie?",
    maxFiles: "Anzahl der Dateien",
    maxSize: "Größte Datei",
    noLimit: "Unbegrenzt",
    accept: "Arten von Dateien",
    acceptHint: "Endungen wie .pdf, .docx. Leer: alle.",
    where: "Wohin die Dateien kommen",
    whereNew: "In einen neuen Ordner",
    whereOwn: "In einen eigenen Ordner",
    folderName: "Name des Ordners",
    folderDefault: "Erhaltene Dateien",
    goLinks: "Ihre Links: niemand kann sie mehr benutzen"
  }
});
var problems12 = catalog({
  en: {
    share_not_found: "This link no longer works.",
    share_password_required: "Enter the password of this link to continue.",
    field_not_accepted: "Files of this kind are not taken here.",
    field_too_large: "This file is larger than the link takes.",
    field_too_many: "These are more files than the link takes.",
    too_many_shares: "You have 10,000 links. Stop sharing something first.",
    too_many_shares_of_entry: "This has 100 open links. Stop one of them first.",
    field_share_number: "Enter a whole number from 1 on, or leave the field empty.",
    field_share_ending: "An ending is a dot and up to 16 letters or digits, such as .pdf. At most 50 of them.",
    field_share_password: "Please use 4 to 256 characters."
  },
  de: {
    share_not_found: "Dieser Link funktioniert nicht mehr.",
    share_password_required: "Geben Sie das Passwort dieses Links ein, um fortzufahren.",
    field_not_accepted: "Dateien dieser Art werden hier nicht angenommen.",
    field_too_large: "Diese Datei ist größer, als der Link annimmt.",
    field_too_many: "Das sind mehr Dateien, als der Link annimmt.",
    too_many_shares: "Sie haben 10.000 Links. Beenden Sie zuerst eine Freigabe.",
    too_many_shares_of_entry: "Hierfür gibt es 100 offene Links. Beenden Sie zuerst einen davon.",
    field_share_number: "Geben Sie eine ganze Zahl ab 1 ein, oder lassen Sie das Feld leer.",
    field_share_ending: "Eine Endung ist ein Punkt und bis zu 16 Buchstaben oder Ziffern, etwa .pdf. Höchstens 50 davon.",
    field_share_password: "Bitte 4 bis 256 Zeichen verwenden."
  }
});

// src/share/fields.tsx
function Fields({ kind, was }) {
  const used = kind === "read" ? was?.downloads : was?.files;
  const hint = used ? t16("soFar", { count: used }) : t16("emptyNoLimit");
  if (kind === "read") {
    return /* @__PURE__ */ a4($, { children: [
      /* @__PURE__ */ a4("div", { class: "pair", children: [
        /* @__PURE__ */ a4(Expiry, { was }),
        /* @__PURE__ */ a4(Number2, { name: "max_downloads", label: t16("downloads"), hint, value: was?.max_downloads })
      ] }),
      /* @__PURE__ */ a4(Secret, { was }),
      /* @__PURE__ */ a4(TextArea, { name: "note", label: t16("note"), hint: t16("noteHint"), value: was?.note ?? "", maxLength: noteMost })
    ] });
  }
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4(TextArea, { name: "note", label: t16("noteRequest"), hint: t16("noteHint"), value: was?.note ?? "", maxLength: noteMost }),
    /* @__PURE__ */ a4("div", { class: "pair", children: [
      /* @__PURE__ */ a4(Expiry, { was }),
      /* @__PURE__ */ a4(Secret, { was })
    ] }),
    /* @__PURE__ */ a4("div", { class: "pair", children: [
      /* @__PURE__ */ a4(Number2, { name: "max_files", label: t16("maxFiles"), hint, value: was?.max_files }),
      /* @__PURE__ */ a4(Largest2, { value: was?.max_file_bytes })
    ] }),
    /* @__PURE__ */ a4(Field, { name: "accept", label: t16("accept"), hint: t16("acceptHint"), value: was?.accept?.join(", "), autoComplete: "off", spellcheck: false })
  ] });
}
var noteMost = 1e3;
function Number2({ name, label, hint, value }) {
  return /* @__PURE__ */ a4(Field, { name, label, hint, value: value ? String(value) : "", inputMode: "numeric", autoComplete: "off", maxLength: 15 });
}
function Expiry({ was }) {
  const [on, setOn] = d2(false);
  const now = was?.expires_at ? { keep: was.state === "expired" ? t16("keepExpired", { time: date(was.expires_at) }) : t16("keepUntil", { time: date(was.expires_at) }) } : void 0;
  const options = { ...now, never: t16("never"), d1: t16("inDays", { count: 1 }), d7: t16("inDays", { count: 7 }), d30: t16("inDays", { count: 30 }), on: t16("onDay") };
  return /* @__PURE__ */ a4("div", { class: "share-expiry", onChange: (event) => {
    const select = event.target;
    if (select.name === "expires") setOn(select.value === "on");
  }, children: [
    /* @__PURE__ */ a4(Select, { name: "expires", label: t16("expires"), value: now ? "keep" : "never", options }),
    on && /* @__PURE__ */ a4(Field, { name: "expires_at", label: t16("lastDay"), type: "date", min: today(), max: "9999-12-31", required: true, autoFocus: true })
  ] });
}
function today() {
  const now = /* @__PURE__ */ new Date();
  return [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((n3) => String(n3).padStart(2, "0")).join("-");
}
function Secret({ was }) {
  const [mode, setMode] = d2(was?.has_password ? "keep" : "new");
  return /* @__PURE__ */ a4("div", { class: "share-passphrase", onChange: (event) => {
    const select = event.target;
    if (select.name === "passwordDo") setMode(select.value);
  }, children: [
    was?.has_password && /* @__PURE__ */ a4(Select, { name: "passwordDo", label: t16("password"), value: "keep", options: { keep: t16("passwordKeep"), new: t16("passwordNew"), none: t16("passwordNone") } }),
    mode === "new" && /* @__PURE__ */ a4(Password, { name: "password", label: was?.has_password ? t16("newPassword") : t16("password"), hint: t16(was?.has_password ? "passwordNewHint" : "passwordHint"), autoComplete: "new-password", required: was?.has_password, autoFocus: was?.has_password })
  ] });
}
var sizes2 = [1e7, 1e8, 1e9, 1e10];
function Largest2({ value }) {
  const all2 = value && !sizes2.includes(value) ? [...sizes2, value].sort((a5, b4) => a5 - b4) : sizes2;
  return /* @__PURE__ */ a4(Select, { name: "max_file_bytes", label: t16("maxSize"), value: value ? "b" + value : "", options: { "": t16("noLimit"), ...Object.fromEntries(all2.map((n3) => ["b" + n3, size(n3)])) } });
}

// src/share/limits.ts
var day2 = 864e5;
function read6(values, was, now) {
  const out = {};
  const put2 = (name, value, old) => {
    if (JSON.stringify(value ?? null) !== JSON.stringify(old ?? null)) out[name] = value;
  };
  if (values.note !== void 0) put2("note", values.note.trim() || null, was?.note || null);
  if (values.password) {
    const { length } = [...values.password];
    if (length < 4 || length > 256) throw refused2("password", "share_password");
    out.password = values.password;
  }
  if (values.passwordDo === "none") out.password = null;
  if (values.expires !== void 0 && values.expires !== "keep") put2("expires_at", end3(values, now), was?.expires_at);
  for (const name of ["max_downloads", "max_files"]) {
    if (values[name] !== void 0) put2(name, count(values[name], name), was?.[name]);
  }
  if (values.max_file_bytes !== void 0) put2("max_file_bytes", Number(values.max_file_bytes.slice(1)) || null, was?.max_file_bytes);
  if (values.accept !== void 0) put2("accept", endings2(values.accept), was?.accept ?? []);
  return out;
}
function end3(values, now) {
  if (values.expires === "never") return null;
  if (values.expires !== "on") return new Date(now + Number(values.expires.slice(1)) * day2).toISOString();
  const [y5, m5, d5] = (values.expires_at ?? "").split("-").map(Number);
  const at = new Date(y5, m5 - 1, d5, 23, 59, 59);
  if (Number.isNaN(at.getTime())) throw refused2("expires_at", "required");
  return at.toISOString();
}
function count(text2, name) {
  const digits2 = text2.trim();
  if (digits2 === "") return null;
  if (!/^\d{1,15}$/.test(digits2) || Number(digits2) === 0) throw refused2(name, "share_number");
  return Number(digits2);
}
function endings2(text2) {
  const all2 = [...new Set(text2.toLowerCase().split(/[\s,;]+/).filter(Boolean).map((e4) => e4.startsWith(".") ? e4 : "." + e4))];
  if (all2.length > 50 || !all2.every((e4) => /^\.[a-z0-9]{1,16}$/.test(e4))) throw refused2("accept", "share_ending");
  return all2;
}
var refused2 = (name, code) => new Problem({ status: -1, code: "validation_failed", fields: [{ pointer: "/" + name, code }] });
function made2(limits2) {
  return Object.fromEntries(Object.entries(limits2).filter(([, value]) => value !== null));
}

// src/share/links.ts
var changes2 = y3(0);
var changed2 = () => {
  changes2.value++;
};
function useChanges() {
  const now = changes2.value;
  const [seen, see] = d2(now);
  A2(() => {
    if (seen === now) return;
    const timer2 = setTimeout(() => see(changes2.peek()), 250);
    return () => clearTimeout(timer2);
  }, [seen, seen === now]);
  return seen;
}
var until2 = (at) => new Date(at).getHours() === 23 && new Date(at).getMinutes() === 59 ? date(at) : dateTime(at);
function limits(link) {
  const { kind, expires_at: end4, has_password, max_downloads: downloads3, max_files: files } = link;
  const said = [];
  if (has_password) said.push(t16("withPassword"));
  if (end4) said.push(t16(link.state === "expired" ? "expiredAt" : "until", { time: until2(end4) }));
  const done = kind === "read" ? downloads3 ? t16("downloadsOf", { done: link.downloads, count: downloads3 }) : t16("downloadsDone", { count: link.downloads }) : files ? t16("filesOf", { done: link.files, count: files }) : t16("filesDone", { count: link.files });
  said.push(done.replaceAll(" ", " "));
  return said;
}
var nameOf2 = (link) => link.entry?.name ?? t16("inTrash");
var titleOf = (link) => link.note || t16(link.kind === "read" ? "linkTo" : "linkFor");

// src/share/change.tsx
var askChange = (link) => ask((close) => /* @__PURE__ */ a4(Dialog, { title: t16(link.kind === "read" ? "change" : "changeRequest"), class: "share-dialog", onClose: close, children: /* @__PURE__ */ a4(Form, { submit: t16("save"), onCancel: close, onSubmit: async (values) => {
  const body = read6(values, link, serverNow());
  if (Object.keys(body).length > 0) await patch("/shares/{id}", { path: { id: link.id }, body });
  changed2();
  close();
}, children: [
  /* @__PURE__ */ a4("p", { class: "long-name", children: nameOf2(link) }),
  /* @__PURE__ */ a4(Fields, { kind: link.kind, was: link })
] }) }));

// src/share/uses.tsx
var icons3 = { download: "download", archive: "archive", upload: "upload", unlock: "key" };
var askUses = (link) => ask((close) => /* @__PURE__ */ a4(Uses, { link, onClose: close }));
function Uses({ link, onClose }) {
  const list2 = usePages((cursor, signal) => get("/shares/{id}/uses", { path: { id: link.id }, query: { cursor, limit: 50 }, signal }), useChanges());
  return /* @__PURE__ */ a4(Dialog, { title: t16("uses"), class: "share-dialog", onClose, children: [
    /* @__PURE__ */ a4("p", { class: "long-name", children: nameOf2(link) }),
    link.note && /* @__PURE__ */ a4("p", { class: "hint share-said", children: link.note }),
    list2.problem && /* @__PURE__ */ a4(Failed, { problem: list2.problem, retry: list2.reload }),
    !list2.items ? !list2.problem && /* @__PURE__ */ a4(Skeleton, { rows: 3 }) : list2.items.length === 0 ? /* @__PURE__ */ a4("p", { children: t16("usesNone") }) : /* @__PURE__ */ a4("ul", { class: "share-uses", children: list2.items.map((use3, i4) => /* @__PURE__ */ a4("li", { children: [
      /* @__PURE__ */ a4(Icon, { name: icons3[use3.action] ?? "eye" }),
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("p", { class: "share-did", children: [
          t16(`did_${use3.action}`),
          use3.path && /* @__PURE__ */ a4("span", { class: "share-path", children: [
            use3.path.includes("\n") ? "\n" : " ",
            use3.path
          ] })
        ] }),
        /* @__PURE__ */ a4("p", { class: "hint", children: [
          [use3.from && t16("from", { name: use3.from }), use3.device, use3.place].filter(Boolean).join(" · "),
          (use3.from || use3.device || use3.place) && " · ",
          /* @__PURE__ */ a4(Time, { at: use3.at, children: ago(use3.at) })
        ] })
      ] })
    ] }, i4)) }),
    list2.more && /* @__PURE__ */ a4("div", { class: "share-next", children: /* @__PURE__ */ a4("button", { type: "button", class: "button", "aria-disabled": list2.busy, onClick: list2.more, children: t16("more") }) }),
    list2.items && list2.items.length > 0 && !list2.more && /* @__PURE__ */ a4("p", { class: "hint", children: t16("usesKept") })
  ] });
}

// src/share/link-row.tsx
function LinkRow({ link, onOpen }) {
  const own = !onOpen;
  const open2 = link.state === "open";
  const request = link.kind === "request";
  const { entry: entry4 } = link;
  const title = own ? titleOf(link) : nameOf2(link);
  const alive2 = open2 && !!entry4;
  return /* @__PURE__ */ a4("li", { class: alive2 ? "share-link" : "share-link share-over", "data-link": link.id, children: [
    /* @__PURE__ */ a4("span", { class: "share-icon", children: /* @__PURE__ */ a4(Icon, { name: request ? "inbox" : own ? "link" : entry4?.kind === "folder" ? "folder" : entry4 ? "file" : "trash" }) }),
    /* @__PURE__ */ a4("div", { class: "share-text", children: [
      /* @__PURE__ */ a4("p", { class: "share-name", children: [
        own || !entry4 ? /* @__PURE__ */ a4("strong", { class: "share-note", children: title }) : /* @__PURE__ */ a4("button", { type: "button", class: "link", "aria-label": t16("sharingOf", { name: title }), onClick: () => void onOpen(entry4), children: /* @__PURE__ */ a4(Name, { name: title }) }),
        link.state !== "open" && /* @__PURE__ */ a4("span", { class: link.state === "blocked" ? "tag bad" : "tag", children: t16(`state_${link.state}`) })
      ] }),
      !own && entry4 && /* @__PURE__ */ a4("p", { class: "hint share-place", children: /* @__PURE__ */ a4(Name, { name: t16("inPlace", { place: [t16("top"), ...entry4.path.map((step) => step.name)].join(" / ") }), read: true }) }),
      !own && link.note && /* @__PURE__ */ a4("p", { class: "share-said", children: link.note }),
      /* @__PURE__ */ a4("p", { class: "hint", children: [
        limits(link).join(" · "),
        link.last_used_at && /* @__PURE__ */ a4($, { children: [
          " · ",
          t16("lastUsed"),
          " ",
          /* @__PURE__ */ a4(Time, { at: link.last_used_at, children: ago(link.last_used_at) })
        ] })
      ] }),
      !entry4 && /* @__PURE__ */ a4("p", { class: "hint", children: t16("inTrashText") }),
      link.state === "blocked" && /* @__PURE__ */ a4("p", { class: "hint", children: t16("blockedText") })
    ] }),
    /* @__PURE__ */ a4(Menu, { label: t16("linkMenu", { name: title }), items: menu(link, own), children: /* @__PURE__ */ a4(Icon, { name: "more" }) }),
    alive2 && /* @__PURE__ */ a4("div", { class: "share-url", children: [
      /* @__PURE__ */ a4("input", { readOnly: true, value: link.url, "aria-label": t16("address", { name: title }), spellcheck: false, onFocus: (event) => event.currentTarget.select() }),
      /* @__PURE__ */ a4(Copy, { text: link.url, label: t16("copyLink") })
    ] })
  ] });
}
function menu(link, own) {
  const tree = folders();
  const items = [
    { icon: "pencil", label: t16("changeDo"), run: () => void askChange(link) },
    { icon: "history", label: t16("uses"), run: () => void askUses(link) }
  ];
  if (link.state === "open" && link.entry) {
    items.push({ icon: "phone", label: t16("qr"), run: () => void askQr(link) });
    if ("share" in navigator) items.push({ icon: "share", label: t16("sendBy"), run: () => void navigator.share({ url: link.url }).catch(() => void 0) });
  }
  const { entry: entry4 } = link;
  if (tree && entry4 && !own) {
    if (entry4.kind === "folder") items.push({ icon: "folder", label: t16("openFolder"), href: tree.href(entry4.id) });
    else items.push({ icon: "folder", label: t16("showPlace"), href: tree.href(entry4.path.at(-1)?.id ?? "") });
  }
  items.push({ icon: "close", label: t16(link.kind === "read" ? "stop" : "stopRequest"), danger: true, run: () => void askStop(link) });
  return items;
}
var askQr = (link) => ask((close) => /* @__PURE__ */ a4(Dialog, { title: t16("qr"), onClose: close, children: /* @__PURE__ */ a4("div", { class: "share-scan", children: [
  /* @__PURE__ */ a4(Qr, { class: "share-square", text: link.url, label: t16("qrOf", { name: nameOf2(link) }) }),
  /* @__PURE__ */ a4("p", { class: "hint", children: t16("qrHint") })
] }) }));
var askStop = (link) => ask((close) => /* @__PURE__ */ a4(Confirm, { title: t16(link.kind === "read" ? "stopTitle" : "stopRequestTitle"), action: t16(link.kind === "read" ? "stop" : "stopRequest"), onClose: close, onConfirm: async () => {
  await del("/shares/{id}", { path: { id: link.id } });
  changed2();
}, children: [
  /* @__PURE__ */ a4("p", { class: "long-name", children: nameOf2(link) }),
  /* @__PURE__ */ a4("p", { children: t16(link.kind === "read" ? "stopText" : "stopRequestText") })
] }));

// src/share/sharing.tsx
var askSharing = (entry4, fresh2) => ask((close) => /* @__PURE__ */ a4(Sharing, { entry: entry4, fresh: fresh2, onClose: close }));
function Sharing({ entry: entry4, fresh: first, onClose }) {
  const [fresh2, setFresh] = d2(first);
  const [making, setMaking] = d2(false);
  const { data, problem: problem2, reload } = useLoad((signal) => every2(entry4.id, signal), [entry4.id]);
  const box = T2(null);
  const count2 = useChanges();
  const seen = T2(count2);
  A2(() => {
    if (seen.current === count2) return;
    seen.current = count2;
    void reload();
  }, [count2]);
  A2(() => {
    const copy = fresh2 && box.current?.querySelector(`[data-link="${fresh2}"] .share-url button`);
    if (copy) {
      copy.focus();
      setFresh(void 0);
    } else if (data && document.activeElement === document.body) {
      box.current.closest("dialog").querySelector("h2").focus();
    }
  }, [data, fresh2]);
  const show4 = async (link) => {
    setMaking(false);
    await reload();
    setFresh(link.id);
    changed2();
  };
  const folder3 = entry4.kind === "folder";
  const reads = (data ?? []).filter((link) => link.kind === "read");
  const requests = (data ?? []).filter((link) => link.kind === "request");
  const label = t16(reads.length > 0 ? "another" : "shareFolder");
  const more = /* @__PURE__ */ a4("div", { children: /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => setMaking(true), children: [
    /* @__PURE__ */ a4(Icon, { name: reads.length > 0 ? "plus" : "share" }),
    " ",
    label
  ] }) });
  return /* @__PURE__ */ a4(Dialog, { title: t16("sharing"), class: "share-dialog", onClose, children: [
    /* @__PURE__ */ a4("p", { class: "long-name", children: entry4.name }),
    /* @__PURE__ */ a4("div", { ref: box, class: "share-parts", children: problem2 ? /* @__PURE__ */ a4(Failed, { problem: problem2, retry: reload }) : !data ? /* @__PURE__ */ a4(Skeleton, { rows: 2 }) : /* @__PURE__ */ a4($, { children: [
      data.length === 0 && /* @__PURE__ */ a4($, { children: [
        /* @__PURE__ */ a4("p", { children: t16(folder3 ? "makeFolder" : "makeFile") }),
        /* @__PURE__ */ a4(Make, { entry: entry4, onMade: show4 })
      ] }),
      reads.length > 0 && /* @__PURE__ */ a4("ul", { class: "share-links", children: reads.map((link) => /* @__PURE__ */ a4(LinkRow, { link }, link.id)) }),
      reads.length > 0 && more,
      requests.length > 0 && /* @__PURE__ */ a4("section", { class: "share-part", "aria-labelledby": "share-requests", children: [
        /* @__PURE__ */ a4("h3", { id: "share-requests", children: t16("requests") }),
        /* @__PURE__ */ a4("ul", { class: "share-links", children: requests.map((link) => /* @__PURE__ */ a4(LinkRow, { link }, link.id)) })
      ] }),
      requests.length > 0 && reads.length === 0 && more
    ] }) }),
    making && /* @__PURE__ */ a4(Dialog, { title: label, class: "share-dialog", onClose: () => setMaking(false), children: [
      reads.length === 0 && /* @__PURE__ */ a4("p", { children: t16("makeFolder") }),
      /* @__PURE__ */ a4(Make, { entry: entry4, onMade: show4, onCancel: () => setMaking(false) })
    ] })
  ] });
}
function Make({ entry: entry4, onMade, onCancel }) {
  return /* @__PURE__ */ a4(Form, { submit: t16("make"), icon: "link", onCancel, onSubmit: async (values) => {
    await onMade(await post("/files/{id}/shares", { path: { id: entry4.id }, body: { kind: "read", ...made2(read6(values, void 0, serverNow())) } }));
  }, children: /* @__PURE__ */ a4(Fields, { kind: "read" }) });
}
async function every2(id, signal) {
  const all2 = [];
  let cursor;
  do {
    const page2 = await get("/files/{id}/shares", { path: { id }, query: { cursor, limit: 200 }, signal });
    all2.push(...page2.items);
    cursor = page2.next_cursor || void 0;
  } while (cursor);
  return all2;
}

// src/share/request.tsx
var askRequest = (folder3) => ask((close) => /* @__PURE__ */ a4(Request2, { folder: folder3, onClose: close }));
function Request2({ folder: folder3, onClose }) {
  const tree = folders();
  const shown2 = folder3 || !tree ? "" : tree.shown();
  const { data: here2 } = useLoad(async (signal) => shown2 ? get("/files/{id}", { path: { id: shown2 }, signal }) : void 0, [shown2]);
  const [own, setOwn] = d2(false);
  const [target2, setTarget] = d2();
  A2(() => {
    if (!here2) return;
    setOwn(true);
    setTarget({ id: here2.id, name: here2.name });
  }, [here2]);
  const fresh2 = T2(void 0);
  async function into(name) {
    if (folder3) return folder3;
    if (own) return { id: target2.id, kind: "folder", name: target2.name };
    if (fresh2.current?.wish !== name) fresh2.current = { wish: name, entry: await post("/files/folders", { body: { name } }) };
    return fresh2.current.entry;
  }
  return /* @__PURE__ */ a4(Dialog, { title: t16("request"), class: "share-dialog", onClose, children: [
    /* @__PURE__ */ a4("p", { class: "hint", children: t16("requestText") }),
    /* @__PURE__ */ a4(Form, { submit: t16("makeRequest"), icon: "link", onCancel: onClose, onSubmit: async (values) => {
      const limits2 = made2(read6(values, void 0, serverNow()));
      const entry4 = await into(values.folder ?? "");
      const link = await post("/files/{id}/shares", { path: { id: entry4.id }, body: { kind: "request", ...limits2 } });
      changed2();
      onClose();
      void askSharing(entry4, link.id);
    }, children: [
      folder3 ? /* @__PURE__ */ a4("p", { class: "long-name", children: folder3.name }) : /* @__PURE__ */ a4("fieldset", { class: "share-where", children: [
        /* @__PURE__ */ a4("legend", { children: t16("where") }),
        /* @__PURE__ */ a4("label", { children: [
          /* @__PURE__ */ a4("input", { type: "radio", name: "where", checked: !own, onChange: () => setOwn(false) }),
          " ",
          t16("whereNew")
        ] }),
        !own && /* @__PURE__ */ a4(Field, { name: "folder", label: t16("folderName"), value: t16("folderDefault"), required: true, autoComplete: "off", maxLength: 255 }),
        tree && /* @__PURE__ */ a4("label", { children: [
          /* @__PURE__ */ a4("input", { type: "radio", name: "where", checked: own, onChange: () => setOwn(true) }),
          " ",
          t16("whereOwn")
        ] }),
        tree && own && /* @__PURE__ */ a4(tree.Choose, { below: true, here: shown2, target: target2, pick: setTarget })
      ] }),
      /* @__PURE__ */ a4(Fields, { kind: "request" })
    ] })
  ] });
}

// src/share/list-page.tsx
function Links() {
  const tree = folders();
  return /* @__PURE__ */ a4(Page2, { kind: "read", title: t16("shared"), text: t16("sharedText"), icon: "share", empty: t16("sharedEmpty"), emptyText: t16("sharedEmptyText"), children: tree && /* @__PURE__ */ a4("a", { class: "button primary", href: tree.href(""), children: t16("toFiles") }) });
}
function Requests() {
  const button = /* @__PURE__ */ a4("button", { type: "button", class: "button primary", onClick: () => void askRequest(), children: [
    /* @__PURE__ */ a4(Icon, { name: "inbox" }),
    " ",
    t16("request")
  ] });
  return /* @__PURE__ */ a4(Page2, { kind: "request", title: t16("requests"), text: t16("requestsText"), icon: "inbox", empty: t16("requestsEmpty"), emptyText: t16("requestsEmptyText"), main: button, children: button });
}
function Page2({ kind, title, text: text2, icon, empty, emptyText, main, children }) {
  const list2 = usePages((cursor, signal) => get("/shares", { query: { kind, cursor, limit: 50 }, signal }), useChanges());
  const { items } = list2;
  const had2 = T2(false);
  A2(() => {
    if (had2.current && document.activeElement === document.body && !document.querySelector("dialog[open]")) focusMain();
    had2.current = items !== void 0;
  }, [items]);
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4("div", { class: "card-head", children: [
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("h1", { children: title }),
        items && items.length > 0 && /* @__PURE__ */ a4("p", { class: "hint", children: text2 })
      ] }),
      items && items.length > 0 && main
    ] }),
    list2.problem && /* @__PURE__ */ a4(Failed, { problem: list2.problem, retry: list2.reload }),
    !items ? !list2.problem && /* @__PURE__ */ a4(Skeleton, { rows: 4 }) : items.length === 0 ? /* @__PURE__ */ a4(Empty, { icon, title: empty, children: [
      /* @__PURE__ */ a4("p", { children: emptyText }),
      /* @__PURE__ */ a4("p", { children })
    ] }) : /* @__PURE__ */ a4("section", { class: "card share-all", "aria-label": title, children: /* @__PURE__ */ a4("ul", { class: "share-links", children: items.map((link) => /* @__PURE__ */ a4(LinkRow, { link, onOpen: askSharing }, link.id)) }) }),
    list2.more && /* @__PURE__ */ a4("div", { class: "share-next", children: /* @__PURE__ */ a4("button", { type: "button", class: "button", "aria-disabled": list2.busy, onClick: list2.more, children: t16("more") }) })
  ] });
}

// src/share/mark.tsx
function Mark2({ entry: entry4, tab }) {
  if (!entry4.shared) return null;
  const label = t16("isShared", { name: entry4.name });
  return /* @__PURE__ */ a4("button", { type: "button", class: "icon-button share-mark", tabIndex: tab, "aria-label": label, title: t16("isSharedShort"), onClick: (event) => {
    event.stopPropagation();
    void askSharing(entry4);
  }, children: /* @__PURE__ */ a4(Icon, { name: "share" }) });
}
function LinksGo() {
  return /* @__PURE__ */ a4("li", { children: t16("goLinks") });
}

// src/share/room.ts
var share3 = {
  routes: [
    { path: "/shared", page: Links, title: () => t16("shared") },
    { path: "/requests", page: Requests, title: () => t16("requests") },
    ...guestRoutes
  ],
  places: [
    { href: "/shared", icon: "share", label: () => t16("shared"), order: 2, phone: "bar" },
    { href: "/requests", icon: "inbox", label: () => t16("requests"), order: 3, phone: "more" }
  ],
  create: [{ icon: "inbox", label: () => t16("request"), order: 4, run: () => void askRequest() }],
  entry: {
    deeds: (entry4) => [
      { icon: "share", label: t16("share"), run: () => void askSharing(entry4), bar: true },
      ...entry4.kind === "folder" ? [{ icon: "inbox", label: t16("request"), run: () => void askRequest(entry4) }] : []
    ],
    Mark: Mark2,
    order: 1
  },
  loss: { Line: LinksGo, order: 4.5 },
  problems: problems12,
  start: () => {
    for (const kind of ["shares", "files", "trash"]) onChange(kind, changed2);
  }
};

// src/smscode/phone.ts
var codes = Object.fromEntries("AD376 AE971 AF93 AG1268 AI1264 AL355 AM374 AO244 AR54 AS1684 AT43 AU61 AW297 AX358 AZ994 BA387 BB1246 BD880 BE32 BF226 BG359 BH973 BI257 BJ229 BL590 BM1441 BN673 BO591 BQ599 BR55 BS1242 BT975 BW267 BY375 BZ501 CA1 CC61 CD243 CF236 CG242 CH41 CI225 CK682 CL56 CM237 CN86 CO57 CR506 CU53 CV238 CW599 CX61 CY357 CZ420 DE49 DJ253 DK45 DM1767 DO1809 DZ213 EC593 EE372 EG20 ER291 ES34 ET251 FI358 FJ679 FK500 FM691 FO298 FR33 GA241 GB44 GD1473 GE995 GF594 GG44 GH233 GI350 GL299 GM220 GN224 GP590 GQ240 GR30 GT502 GU1671 GW245 GY592 HK852 HN504 HR385 HT509 HU36 ID62 IE353 IL972 IM44 IN91 IO246 IQ964 IR98 IS354 IT39 JE44 JM1876 JO962 JP81 KE254 KG996 KH855 KI686 KM269 KN1869 KP850 KR82 KW965 KY1345 KZ7 LA856 LB961 LC1758 LI423 LK94 LR231 LS266 LT370 LU352 LV371 LY218 MA212 MC377 MD373 ME382 MF590 MG261 MH692 MK389 ML223 MM95 MN976 MO853 MP1670 MQ596 MR222 MS1664 MT356 MU230 MV960 MW265 MX52 MY60 MZ258 NA264 NC687 NE227 NF672 NG234 NI505 NL31 NO47 NP977 NR674 NU683 NZ64 OM968 PA507 PE51 PF689 PG675 PH63 PK92 PL48 PM508 PR1787 PS970 PT351 PW680 PY595 QA974 RE262 RO40 RS381 RU7 RW250 SA966 SB677 SC248 SD249 SE46 SG65 SH290 SI386 SJ47 SK421 SL232 SM378 SN221 SO252 SR597 SS211 ST239 SV503 SX1721 SY963 SZ268 TC1649 TD235 TG228 TH66 TJ992 TK690 TL670 TM993 TN216 TO676 TR90 TT1868 TV688 TW886 TZ255 UA380 UG256 US1 UY598 UZ998 VA39 VC1784 VE58 VG1284 VI1340 VN84 VU678 WF681 WS685 XK383 YE967 YT262 ZA27 ZM260 ZW263".split(" ").map((c4) => [c4.slice(0, 2), c4.slice(2)]));
var callingCode = (country) => codes[country] ?? "";
function countries(lang2) {
  const names2 = new Intl.DisplayNames(lang2, { type: "region" });
  const order = new Intl.Collator(lang2);
  return Object.keys(codes).map((country) => ({ country, name: names2.of(country) ?? country })).sort((a5, b4) => order.compare(a5.name, b4.name));
}
function homeOf(tags) {
  for (const tag of tags) {
    const { region } = new Intl.Locale(tag).maximize();
    if (region && callingCode(region)) return region;
  }
  return "US";
}
var zeroStays = ["IT", "VA", "CI", "CG"];
function toE164(typed2, country) {
  const code = callingCode(country);
  const number = typed2.trim().replace(/[^\d+]/g, "").replace(/(?!^)\+/g, "").replace(/^00/, "+");
  if (number.startsWith("+") && !number.startsWith("+" + code)) return number;
  const national = number.startsWith("+") ? number.slice(1 + code.length) : number;
  if (code[0] === "1" && /^1?\d{10}$/.test(national)) return "+1" + national.slice(-10);
  return "+" + code + (zeroStays.includes(country) ? national : national.replace(/^0/, ""));
}
var unbroken = (number) => number.replaceAll(" ", " ");

// src/smscode/words.ts
var t17 = catalog({
  en: {
    step: "Code by text message",
    code: "Code from the text message",
    codeHint: "Six digits. Only the newest code works.",
    go: "Continue",
    sentTo: "We sent a code to {number}.",
    capped: "No text message could be sent to your phone just now, because many were sent before.",
    cappedUntil: "You can ask for one from {time}.",
    unsent: "The operator of this server has set up no service that sends text messages. They stay in the server’s outbox, and none reaches a phone.",
    title: "Codes by text message",
    onText: "When you sign in on a new device, you are asked for a code that we send to {number}.",
    offText: "When you sign in, you are also asked for a code that we send to your phone. This is better than a password alone, and weaker than an authenticator app.",
    numberGone: "The number is damaged. Change it.",
    enable: "Turn on text message codes",
    confirm: "Turn on",
    change: "Change the number",
    disable: "Turn off text message codes",
    enrol: "Set up codes by text message",
    enrolText: "We send a first code to your phone. Once you enter it here, the step is on.",
    changeTitle: "Change your phone number",
    changeText: "We send a code to the new number. The number you have now stays in use until you enter that code.",
    changeDo: "Use this number",
    better: "An authenticator app protects you better: nobody can read its codes on their way, and it works without reception.",
    country: "Country",
    phone: "Phone number",
    phoneHint: "As you give it to friends, or with + and the country’s code.",
    goesTo: "The code goes to {number}.",
    send: "Send the code",
    otherNumber: "Use another number",
    oldStays: "Your old number stays in use until then.",
    enabled: "Codes by text message are on.",
    changed: "Codes now go to the new number.",
    disabled: "Codes by text message are off.",
    disableTitle: "Turn off codes by text message?",
    disableText: "After that, no code is sent to your phone when you sign in. The server forgets your number.",
    goStep: "Your phone number and its sign-in step"
  },
  de: {
    step: "Code per SMS",
    code: "Code aus der SMS",
    codeHint: "Sechs Ziffern. Nur der neueste Code gilt.",
    go: "Weiter",
    sentTo: "Wir haben einen Code an {number} gesendet.",
    capped: "Gerade konnte keine SMS an Ihr Telefon gesendet werden, weil zuvor viele gesendet wurden.",
    cappedUntil: "Ab {time} können Sie eine anfordern.",
    unsent: "Für diesen Server ist kein Dienst eingerichtet, der SMS sendet. Sie bleiben im Postausgang des Servers, und keine erreicht ein Telefon.",
    title: "Codes per SMS",
    onText: "Wenn Sie sich auf einem neuen Gerät anmelden, werden Sie nach einem Code gefragt, den wir an {number} senden.",
    offText: "Beim Anmelden werden Sie auch nach einem Code gefragt, den wir an Ihr Telefon senden. Das ist besser als ein Passwort allein und schwächer als eine Authenticator-App.",
    numberGone: "Die Nummer ist beschädigt. Ändern Sie sie.",
    enable: "SMS-Codes einschalten",
    confirm: "Einschalten",
    change: "Nummer ändern",
    disable: "SMS-Codes ausschalten",
    enrol: "Codes per SMS einrichten",
    enrolText: "Wir senden einen ersten Code an Ihr Telefon. Sobald Sie ihn hier eingeben, ist der Schritt an.",
    changeTitle: "Telefonnummer ändern",
    changeText: "Wir senden einen Code an die neue Nummer. Ihre jetzige Nummer gilt, bis Sie diesen Code eingeben.",
    changeDo: "Diese Nummer verwenden",
    better: "Eine Authenticator-App schützt Sie besser: Niemand kann ihre Codes unterwegs mitlesen, und sie funktioniert ohne Empfang.",
    country: "Land",
    phone: "Telefonnummer",
    phoneHint: "So, wie Sie sie Freunden geben, oder mit + und der Vorwahl des Landes.",
    goesTo: "Der Code geht an {number}.",
    send: "Code senden",
    otherNumber: "Andere Nummer verwenden",
    oldStays: "Bis dahin gilt Ihre alte Nummer.",
    enabled: "Codes per SMS sind an.",
    changed: "Codes gehen jetzt an die neue Nummer.",
    disabled: "Codes per SMS sind aus.",
    disableTitle: "Codes per SMS ausschalten?",
    disableText: "Danach wird beim Anmelden kein Code an Ihr Telefon gesendet. Der Server vergisst Ihre Nummer.",
    goStep: "Ihre Telefonnummer und ihr Anmeldeschritt"
  }
});
var problems13 = catalog({
  en: {
    sms_already_enabled: "Codes are sent to this number already. Enter another one.",
    sms_not_pending: "This took too long, or was begun again elsewhere. Please begin the set-up again.",
    field_invalid_phone: "This is no phone number. Check the country and the digits.",
    field_unsupported_country: "This server sends no text messages to that country."
  },
  de: {
    sms_already_enabled: "An diese Nummer werden die Codes schon gesendet. Geben Sie eine andere ein.",
    sms_not_pending: "Das hat zu lange gedauert oder wurde anderswo neu begonnen. Bitte beginnen Sie die Einrichtung von vorn.",
    field_invalid_phone: "Das ist keine Telefonnummer. Prüfen Sie das Land und die Ziffern.",
    field_unsupported_country: "Dieser Server sendet keine SMS in dieses Land."
  }
});

// src/smscode/unsent.tsx
function Unsent() {
  const settings2 = useSettings();
  if (!settings2 || settings2.sms) return null;
  return /* @__PURE__ */ a4("div", { class: "notice small", children: [
    /* @__PURE__ */ a4(Icon, { name: "warning" }),
    /* @__PURE__ */ a4("p", { children: t17("unsent") })
  ] });
}

// src/smscode/set-up.tsx
function SetUp2({ change, better, onClose, onDone }) {
  const [sent, setSent] = d2();
  const notice = T2(void 0);
  const typed2 = T2({ country: homeOf(navigator.languages), phone: "" });
  if (!sent) {
    return /* @__PURE__ */ a4("div", { class: "telephone-set", children: [
      better && /* @__PURE__ */ a4("div", { class: "notice", children: [
        /* @__PURE__ */ a4(Icon, { name: "shield" }),
        /* @__PURE__ */ a4("div", { children: [
          /* @__PURE__ */ a4("p", { children: t17("better") }),
          /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: better.run, children: better.label() })
        ] })
      ] }),
      /* @__PURE__ */ a4(Number3, { change, typed: typed2.current, onClose, onSent: (s4) => {
        notice.current = s4.notice ?? notice.current;
        setSent(s4);
      } })
    ] });
  }
  return /* @__PURE__ */ a4("div", { class: "telephone-set", children: [
    /* @__PURE__ */ a4("p", { children: t17("sentTo", { number: unbroken(sent.sent_to) }) }),
    /* @__PURE__ */ a4(
      CodeForm,
      {
        submit: change ? t17("changeDo") : t17("confirm"),
        label: t17("code"),
        hint: t17("codeHint"),
        autoFocus: true,
        onCancel: onClose,
        onCode: async (code) => {
          await post("/account/sms/confirm", { body: { code } });
          await onDone();
        },
        again: { at: sent.resend_at, send: () => post("/account/sms/resend") }
      }
    ),
    /* @__PURE__ */ a4("div", { class: "telephone-foot", children: [
      change && /* @__PURE__ */ a4("p", { class: "hint", children: t17("oldStays") }),
      /* @__PURE__ */ a4("button", { type: "button", class: "link", onClick: () => setSent(void 0), children: t17("otherNumber") })
    ] }),
    /* @__PURE__ */ a4(Unsent, {}),
    notice.current && /* @__PURE__ */ a4("div", { class: "notice small", children: [
      /* @__PURE__ */ a4(Icon, { name: "shield" }),
      /* @__PURE__ */ a4("p", { children: notice.current })
    ] })
  ] });
}
function Number3({ change, typed: typed2, onClose, onSent }) {
  const [, setRound] = d2(0);
  const options = w2(() => Object.fromEntries(countries(lang.value).map(({ country, name }) => [country, `${name} +${callingCode(country)}`])), [lang.value]);
  const whole7 = toE164(typed2.phone, typed2.country);
  return /* @__PURE__ */ a4(Form, { submit: t17("send"), onCancel: onClose, onSubmit: async () => {
    if (!/^\+\d{7,15}$/.test(whole7)) throw new Problem({ status: 422, code: "validation_failed", fields: [{ pointer: "/phone", code: "invalid_phone" }] });
    onSent(await post("/account/sms", { body: { phone: whole7 } }));
  }, children: [
    /* @__PURE__ */ a4("p", { children: change ? t17("changeText") : t17("enrolText") }),
    /* @__PURE__ */ a4("div", { class: "telephone-entry", onInput: (event) => {
      const { name, value } = event.target;
      if (name === "country" || name === "phone") typed2[name] = value;
      setRound((n3) => n3 + 1);
    }, children: [
      /* @__PURE__ */ a4(Select, { name: "country", label: t17("country"), value: typed2.country, options }),
      /* @__PURE__ */ a4(Field, { name: "phone", label: t17("phone"), value: typed2.phone, required: true, autoFocus: true, autoComplete: "tel", inputMode: "tel", maxLength: 30, hint: t17("phoneHint") }),
      typed2.phone.replace(/\D/g, "").length > 4 && /* @__PURE__ */ a4("p", { class: "hint", children: t17("goesTo", { number: whole7 }) })
    ] })
  ] });
}

// src/smscode/section.tsx
function Section4({ status }) {
  const { data, reload } = status;
  const [setting, setSetting] = d2(false);
  const [disabling, setDisabling] = d2(false);
  const on = data?.sms?.enabled ?? false;
  const better = collect((room) => room.security).find(({ first }) => first && data && !data[first.layer]?.enabled)?.first;
  return /* @__PURE__ */ a4(
    LayerCard,
    {
      layer: "sms",
      title: t17("title"),
      status,
      text: (_4, line) => !on ? t17("offText") : line?.hint ? t17("onText", { number: unbroken(line.hint) }) : t17("numberGone"),
      buttons: () => on ? /* @__PURE__ */ a4($, { children: [
        /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => setSetting(true), children: t17("change") }),
        /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => setDisabling(true), children: t17("disable") })
      ] }) : /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => setSetting(true), children: t17("enable") }),
      children: [
        data && /* @__PURE__ */ a4(Unsent, {}),
        setting && /* @__PURE__ */ a4(Dialog, { title: on ? t17("changeTitle") : t17("enrol"), onClose: () => setSetting(false), children: /* @__PURE__ */ a4(SetUp2, { change: on, better: on ? void 0 : better && { ...better, run: () => {
          setSetting(false);
          better.run();
        } }, onClose: () => setSetting(false), onDone: async () => {
          setSetting(false);
          toast(on ? t17("changed") : t17("enabled"));
          await reload();
        } }) }),
        disabling && /* @__PURE__ */ a4(TurnOff, { title: t17("disableTitle"), onClose: () => setDisabling(false), off: (recovery2) => del("/account/sms", { query: { recovery: recovery2 } }), onOff: async () => {
          toast(t17("disabled"));
          await reload();
        }, children: /* @__PURE__ */ a4("p", { children: t17("disableText") }) })
      ]
    }
  );
}
function StepGoes3() {
  const { data } = useLoad((signal) => get("/account/security", { signal }), []);
  return data?.sms?.enabled ? /* @__PURE__ */ a4("li", { children: t17("goStep") }) : null;
}

// src/smscode/step.tsx
function Step3({ layer, answer, again: again3 }) {
  const { sent_to: to, resend_at: at } = layer;
  return /* @__PURE__ */ a4($, { children: [
    to ? /* @__PURE__ */ a4("p", { children: t17("sentTo", { number: unbroken(to) }) }) : /* @__PURE__ */ a4("p", { children: [
      t17("capped"),
      " ",
      at && /* @__PURE__ */ a4(Time, { at, children: t17("cappedUntil", { time: dateTime(at) }) })
    ] }),
    /* @__PURE__ */ a4(
      CodeForm,
      {
        submit: t17("go"),
        label: t17("code"),
        hint: t17("codeHint"),
        autoFocus: true,
        onCode: (code) => answer("/auth/attempts/{id}/sms", { code }),
        again: { at, send: () => again3("/auth/attempts/{id}/sms/resend") }
      }
    ),
    /* @__PURE__ */ a4(Unsent, {})
  ] });
}

// src/smscode/room.ts
var smscode = {
  layers: { sms: { title: () => t17("step"), order: 3, Step: Step3 } },
  security: { Section: Section4, order: 3 },
  loss: { Line: StepGoes3, order: 6 },
  problems: problems13
};

// src/social/trip.ts
var stored8 = "coffer.trip";
var waiting2 = "coffer.wait";
function begin3(trip2) {
  sessionStorage.setItem(stored8, JSON.stringify(trip2));
}
function trip() {
  try {
    return JSON.parse(sessionStorage.getItem(stored8) ?? "null") ?? void 0;
  } catch {
    return void 0;
  }
}
function over2() {
  sessionStorage.removeItem(stored8);
}
var start = (provider) => `/v1/auth/social/${encodeURIComponent(provider)}`;
var here = () => location.pathname + location.search;
var channel3 = () => new BroadcastChannel("coffer.trip");
function listen(onBack) {
  const wait = crypto.randomUUID();
  const line = channel3();
  line.onmessage = ({ data }) => {
    if (data.kind !== "back" || data.wait !== wait) return;
    line.postMessage({ kind: "taken", wait });
    const { code, error } = data;
    onBack({ code, error });
  };
  return {
    mark: (other) => other.sessionStorage.setItem(waiting2, wait),
    close: () => line.close()
  };
}
async function handOver(back) {
  const wait = sessionStorage.getItem(waiting2);
  if (!wait) return false;
  sessionStorage.removeItem(waiting2);
  const line = channel3();
  try {
    return await new Promise((resolve) => {
      const late2 = setTimeout(() => resolve(false), 1500);
      line.onmessage = ({ data }) => {
        if (data.kind !== "taken" || data.wait !== wait) return;
        clearTimeout(late2);
        resolve(true);
      };
      line.postMessage({ kind: "back", wait, ...back });
    });
  } finally {
    line.close();
  }
}

// src/social/words.ts
var t18 = catalog({
  en: {
    continueWith: "Continue with {name}",
    title: "Sign in",
    provider: "the provider",
    comesBack: "Signing you in …",
    elsewhere: "Other ways to sign in",
    retry: "Try again",
    back: "Back",
    newTitle: "Almost there",
    newText: "{name} has confirmed {email}. Choose how you are called in Coffer.",
    firstName: "First name",
    lastName: "Last name",
    username: "Username",
    usernameHint: "3 to 32 letters (a to z), digits, dots, hyphens or underscores. Begin with a letter.",
    newDo: "Create my account",
    newNot: "Not you?",
    newOther: "Use another account",
    linkTitle: "You already have an account",
    linkText: "{email} belongs to an account here. Sign in to it once, and we connect {name}: after that, {name} signs you in too.",
    linkWhy: "We ask so that an e-mail address alone never opens your account.",
    linkDo: "Sign in and connect {name}",
    linkIn: "You are signed in as {username}. Connect {name} to this account?",
    connectDo: "Connect {name}",
    connected: "{name} is connected. From now on it signs you in too.",
    proved: "Thank you. Now press the button once more.",
    close: "You can close this window",
    closeText: "The page where you began goes on by itself.",
    closeDo: "Close this window",
    away: "{name} cannot be reached",
    awayText: "{name} does not answer just now. Nothing is wrong with your account. Try again in a moment, or use another way.",
    refused: "You did not continue with {name}",
    refusedText: "{name} has sent you back, and nothing has changed here.",
    stale: "This sign-in is over",
    staleText: "It took too long, was used already, or was begun in another browser. Begin again: it is quick.",
    wrong: "The answer of {name} cannot be trusted",
    wrongText: "It did not pass our checks, so nothing was done. Try again. If this comes back, tell the person who runs this server.",
    unverified: "{name} has not confirmed your e-mail address",
    unverifiedText: "Confirm your address at {name} first, then try again. Or create an account with a password.",
    failed: "That did not work",
    outTitle: "You are signed out",
    outText: "Sign in again. Then connect {name} on your account page.",
    section: "Connected accounts",
    sectionText: "Sign in with an account that you have elsewhere.",
    since: "Connected since",
    lastUsed: "last used",
    neverUsed: "not used yet",
    notConnected: "Not connected",
    connect: "Connect",
    connectLabel: "Connect {name}",
    disconnect: "Disconnect",
    disconnectLabel: "Disconnect {name}",
    disconnectTitle: "Disconnect {name}?",
    disconnectText: "{name} no longer signs you in here. Your account at {name} stays as it is.",
    disconnected: "{name} is disconnected.",
    onlyWay: "This is your only way in. Set a password before you disconnect it.",
    prove: "Confirm with {name}",
    proveWait: "Confirm in the window of {name}. This page goes on by itself.",
    proveAgain: "Open the window again",
    proveOther: "Use something else",
    goes: { one: "Your connection to {names}", other: "Your connections to {names}" }
  },
  de: {
    continueWith: "Weiter mit {name}",
    title: "Anmelden",
    provider: "dem Anbieter",
    comesBack: "Sie werden angemeldet …",
    elsewhere: "Anders anmelden",
    retry: "Noch einmal versuchen",
    back: "Zurück",
    newTitle: "Fast geschafft",
    newText: "{name} hat {email} bestätigt. Wählen Sie, wie Sie in Coffer heißen.",
    firstName: "Vorname",
    lastName: "Nachname",
    username: "Benutzername",
    usernameHint: "3 bis 32 Buchstaben (a bis z), Ziffern, Punkte, Binde- oder Unterstriche. Beginnen Sie mit einem Buchstaben.",
    newDo: "Mein Konto anlegen",
    newNot: "Das sind nicht Sie?",
    newOther: "Anderes Konto benutzen",
    linkTitle: "Sie haben schon ein Konto",
    linkText: "{email} gehört zu einem Konto hier. Melden Sie sich einmal an, und wir verknüpfen {name}: Danach meldet auch {name} Sie an.",
    linkWhy: "Wir fragen, damit eine E-Mail-Adresse allein nie Ihr Konto öffnet.",
    linkDo: "Anmelden und {name} verknüpfen",
    linkIn: "Sie sind als {username} angemeldet. Soll {name} mit diesem Konto verknüpft werden?",
    connectDo: "{name} verknüpfen",
    connected: "{name} ist verknüpft. Ab jetzt meldet es Sie auch an.",
    proved: "Danke. Drücken Sie jetzt noch einmal auf den Knopf.",
    close: "Sie können dieses Fenster schließen",
    closeText: "Die Seite, auf der Sie begonnen haben, macht von selbst weiter.",
    closeDo: "Fenster schließen",
    away: "{name} ist nicht erreichbar",
    awayText: "{name} antwortet gerade nicht. Mit Ihrem Konto ist alles in Ordnung. Versuchen Sie es gleich noch einmal oder melden Sie sich anders an.",
    refused: "Sie haben bei {name} abgebrochen",
    refusedText: "{name} hat Sie zurückgeschickt, und hier hat sich nichts geändert.",
    stale: "Diese Anmeldung ist vorbei",
    staleText: "Sie hat zu lange gedauert, wurde schon benutzt oder in einem anderen Browser begonnen. Beginnen Sie noch einmal: Es geht schnell.",
    wrong: "Der Antwort von {name} ist nicht zu trauen",
    wrongText: "Sie hat unsere Prüfung nicht bestanden, und nichts ist geschehen. Versuchen Sie es noch einmal. Wenn es wieder geschieht, sagen Sie es der Person, die diesen Server betreibt.",
    unverified: "{name} hat Ihre E-Mail-Adresse nicht bestätigt",
    unverifiedText: "Bestätigen Sie zuerst Ihre Adresse bei {name}, und versuchen Sie es dann noch einmal. Oder legen Sie ein Konto mit Passwort an.",
    failed: "Das hat nicht geklappt",
    outTitle: "Sie sind abgemeldet",
    outText: "Melden Sie sich wieder an. Verknüpfen Sie {name} dann auf der Seite Ihres Kontos.",
    section: "Verknüpfte Konten",
    sectionText: "Melden Sie sich mit einem Konto an, das Sie anderswo haben.",
    since: "Verknüpft seit",
    lastUsed: "zuletzt benutzt",
    neverUsed: "noch nicht benutzt",
    notConnected: "Nicht verknüpft",
    connect: "Verknüpfen",
    connectLabel: "{name} verknüpfen",
    disconnect: "Trennen",
    disconnectLabel: "{name} trennen",
    disconnectTitle: "{name} trennen?",
    disconnectText: "{name} meldet Sie hier nicht mehr an. Ihr Konto bei {name} bleibt, wie es ist.",
    disconnected: "{name} ist getrennt.",
    onlyWay: "Das ist Ihr einziger Weg hinein. Legen Sie ein Passwort fest, bevor Sie ihn trennen.",
    prove: "Mit {name} bestätigen",
    proveWait: "Bestätigen Sie im Fenster von {name}. Diese Seite macht von selbst weiter.",
    proveAgain: "Fenster noch einmal öffnen",
    proveOther: "Etwas anderes benutzen",
    goes: { one: "Ihre Verknüpfung mit {names}", other: "Ihre Verknüpfungen mit {names}" }
  }
});
var problems14 = catalog({
  en: {
    provider_unavailable: "The provider does not answer just now. Try again in a moment.",
    provider_refused: "The provider did not let you continue. Nothing has changed.",
    invalid_state: "This took too long or was begun in another browser. Begin again.",
    invalid_id_token: "The provider’s answer did not pass our checks. Nothing was done.",
    email_unverified: "The provider has not confirmed your e-mail address. Confirm it there first.",
    field_username_taken: "This username is taken. Choose another one.",
    link_needed: "There is an account with this address already. Sign in to it to connect the two.",
    confirmation_over: "You confirmed too long ago. Sign in once more, and you come back to this page.",
    wrong_identity: "That account elsewhere is not connected to this account.",
    identity_altered: "This connection was damaged on the server. Sign in another way; then disconnect it and connect it again.",
    identity_taken: "This account elsewhere is connected to another account here. Use another one, or sign in to that account and disconnect it there.",
    provider_linked: "Your account is connected there already. Disconnect that connection first."
  },
  de: {
    provider_unavailable: "Der Anbieter antwortet gerade nicht. Versuchen Sie es gleich noch einmal.",
    provider_refused: "Der Anbieter hat Sie nicht weitergelassen. Nichts hat sich geändert.",
    invalid_state: "Das hat zu lange gedauert oder wurde in einem anderen Browser begonnen. Beginnen Sie noch einmal.",
    invalid_id_token: "Die Antwort des Anbieters hat unsere Prüfung nicht bestanden. Nichts ist geschehen.",
    email_unverified: "Der Anbieter hat Ihre E-Mail-Adresse nicht bestätigt. Bestätigen Sie sie zuerst dort.",
    field_username_taken: "Dieser Benutzername ist vergeben. Wählen Sie einen anderen.",
    link_needed: "Zu dieser Adresse gibt es schon ein Konto. Melden Sie sich dort an, um beide zu verknüpfen.",
    confirmation_over: "Ihre Bestätigung ist zu lange her. Melden Sie sich noch einmal an, dann kommen Sie auf diese Seite zurück.",
    wrong_identity: "Jenes Konto ist nicht mit diesem hier verknüpft.",
    identity_altered: "Diese Verknüpfung wurde auf dem Server beschädigt. Melden Sie sich anders an; trennen Sie sie dann und verknüpfen Sie neu.",
    identity_taken: "Dieses Konto ist hier schon mit einem anderen verknüpft. Benutzen Sie ein anderes, oder melden Sie sich in jenem an und trennen Sie es dort.",
    provider_linked: "Ihr Konto ist dort schon verknüpft. Trennen Sie diese Verknüpfung zuerst."
  }
});

// src/social/buttons.tsx
var useProviders = () => useSettings()?.providers ?? [];
function useLabel(provider) {
  return useProviders().find(({ id }) => id === provider)?.label ?? t18("provider");
}
function Buttons({ own, remember: remember2 }) {
  const to = new URLSearchParams(location.search).get("next") ?? void 0;
  const providers = useProviders();
  if (own) return null;
  return /* @__PURE__ */ a4($, { children: providers.map(({ id, label }) => /* @__PURE__ */ a4("a", { class: "button provider", href: start(id), "data-leave": true, onClick: () => begin3({ purpose: "sign_in", provider: id, to, remember: remember2?.() }), children: t18("continueWith", { name: label }) }, id)) });
}
var Again = () => /* @__PURE__ */ a4(Buttons, {});

// src/social/fault.tsx
var pages = {
  provider_unavailable: { title: "away", text: "awayText", icon: "warning" },
  provider_refused: { title: "refused", text: "refusedText", icon: "user" },
  invalid_state: { title: "stale", text: "staleText", icon: "retry" },
  link_gone: { title: "stale", text: "staleText", icon: "retry" },
  invalid_id_token: { title: "wrong", text: "wrongText", icon: "warning" },
  email_unverified: { title: "unverified", text: "unverifiedText", icon: "mail" }
};
function Fault({ problem: problem2, provider, retry: retry2 }) {
  const label = useLabel(provider);
  const { purpose = "sign_in", to } = trip() ?? {};
  const inside = me() !== void 0 && purpose !== "sign_in";
  const page2 = Object.hasOwn(pages, problem2.code) ? pages[problem2.code] : void 0;
  const signUp = problem2.code === "email_unverified" && !me() ? doors().find((door) => !door.signsIn) : void 0;
  const back = safeNext(to ?? null, location.origin, firstPlace());
  A2(focusMain, []);
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: page2?.icon ?? "warning" }) }),
    /* @__PURE__ */ a4("h1", { class: "identity", children: page2 ? t18(page2.title, { name: label }) : t18("failed") }),
    /* @__PURE__ */ a4("p", { children: page2 ? t18(page2.text, { name: label }) : say(problem2) }),
    /* @__PURE__ */ a4("div", { class: "form-actions", children: [
      inside ? /* @__PURE__ */ a4("a", { class: "button primary", href: back, children: t18("back") }) : !page2 && problem2.temporary ? /* @__PURE__ */ a4("button", { type: "button", class: "button primary", onClick: retry2, children: t18("retry") }) : provider && problem2.code !== "account_deactivated" && /* @__PURE__ */ a4("a", { class: "button primary provider", href: start(provider), "data-leave": true, onClick: () => begin3({ ...trip(), purpose: "sign_in", provider }), children: page2?.title === "away" || page2?.title === "wrong" ? t18("retry") : t18("continueWith", { name: label }) }),
      signUp && /* @__PURE__ */ a4("a", { class: "button", href: signUp.href, children: signUp.label() }),
      !me() && /* @__PURE__ */ a4("a", { class: provider ? "button" : "button primary", href: signInPath() + (to ? "?next=" + encodeURIComponent(to) : ""), children: t18("elsewhere") })
    ] })
  ] });
}
function Close() {
  A2(focusMain, []);
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "check" }) }),
    /* @__PURE__ */ a4("h1", { children: t18("close") }),
    /* @__PURE__ */ a4("p", { children: t18("closeText") }),
    /* @__PURE__ */ a4("div", { class: "form-actions", children: /* @__PURE__ */ a4("button", { type: "button", class: "button primary", onClick: () => window.close(), children: t18("closeDo") }) })
  ] });
}

// src/social/arrive.tsx
var entry3 = () => history.state ?? {};
var keep3 = (part) => history.replaceState({ ...entry3(), ...part }, "");
function arrive3() {
  if (location.hash) {
    const said = new URLSearchParams(location.hash.slice(1));
    const back = { code: said.get("code") ?? void 0, error: said.get("error") ?? void 0, provider: said.get("provider") ?? void 0 };
    history.replaceState({ back }, "", location.pathname);
  }
  return entry3().back ?? {};
}
function leave4(said) {
  const to = safeNext(trip()?.to ?? null, location.origin, firstPlace());
  over2();
  go(to, { replace: true });
  if (said) toast(said);
}
function Arrive() {
  const [{ code, error, provider }] = d2(arrive3);
  const [state, setState] = d2({ is: "looking" });
  const fault = (err2) => setState({ is: "fault", problem: asProblem(err2) });
  async function look2() {
    setState({ is: "looking" });
    try {
      if ((code || error) && await handOver({ code, error })) {
        window.close();
        return setState({ is: "handed" });
      }
      await settled();
      if (!code) return fault(new Problem({ status: 0, code: error ?? "link_gone" }));
      setState({ is: "found", found: await post("/auth/social/check", { open: true, body: { code } }) });
    } catch (err2) {
      fault(err2);
    }
  }
  A2(() => void look2(), []);
  switch (state.is) {
    case "looking":
      return /* @__PURE__ */ a4(Busy, {});
    case "handed":
      return /* @__PURE__ */ a4(Close, {});
    case "fault":
      return /* @__PURE__ */ a4(Fault, { problem: state.problem, provider: provider ?? trip()?.provider, retry: look2 });
    case "found":
      return /* @__PURE__ */ a4(Go, { code, found: state.found, onFault: fault });
  }
}
function Busy() {
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("h1", { children: t18("comesBack") }),
    /* @__PURE__ */ a4(Skeleton, { rows: 2 })
  ] });
}
function Go(props) {
  const { purpose, known: known3, link_needed } = props.found;
  if (purpose === "link") return /* @__PURE__ */ a4(Link, { ...props });
  if (purpose === "renew") return /* @__PURE__ */ a4(Renew, { ...props });
  return link_needed ? /* @__PURE__ */ a4(Same, { ...props }) : known3 ? /* @__PURE__ */ a4(Enter2, { ...props }) : /* @__PURE__ */ a4(Newcomer, { ...props });
}
function useOnce(work4, onFault, ready = true) {
  const begun3 = T2(false);
  A2(() => {
    if (!ready || begun3.current) return;
    begun3.current = true;
    work4().catch(onFault);
  }, [ready]);
}
async function exchange(code, label, names2 = {}) {
  const { to, remember: remember2 } = trip() ?? {};
  const body = { code, ...names2, ...remember2 && { remember_device: true }, ...await keeper().opening() };
  let opened;
  try {
    opened = await post("/auth/social/exchange", { open: true, body });
  } catch (err2) {
    const back = wayBack("activate");
    if (!(err2 instanceof Problem) || err2.code !== "account_deactivated" || !back) throw err2;
    back.take({ identifier: "", shown: { by: label, send: () => sendLink(code) } });
    over2();
    return go(back.href, { replace: true });
  }
  over2();
  await keeper().enter(opened, { by: label, to });
}
async function sendLink(code) {
  await post("/auth/social/activate", { open: true, body: { code } }).catch((err2) => {
    throw err2 instanceof Problem && err2.code === "link_gone" ? new Problem({ status: 410, code: "confirmation_over" }) : err2;
  });
}
function Enter2({ code, found, onFault }) {
  const label = useLabel(found.provider);
  useOnce(() => exchange(code, label), onFault);
  return /* @__PURE__ */ a4(Busy, {});
}
function Newcomer({ code, found, onFault }) {
  const label = useLabel(found.provider);
  const typed2 = { ...found, ...entry3().typed };
  const field = (name) => ({
    name,
    required: true,
    value: typed2[name],
    onInput: (value) => keep3({ typed: { ...entry3().typed, [name]: value } })
  });
  A2(focusMain, []);
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("div", { class: "arrived", children: [
      /* @__PURE__ */ a4("h1", { children: t18("newTitle") }),
      /* @__PURE__ */ a4("p", { class: "identity", children: t18("newText", { name: label, email: found.email }) })
    ] }),
    /* @__PURE__ */ a4(Form, { submit: t18("newDo"), onSubmit: async (v4) => {
      try {
        await exchange(code, label, { username: v4.username, first_name: v4.first_name, last_name: v4.last_name });
      } catch (err2) {
        if (err2 instanceof Problem && err2.code === "username_taken") throw new Problem({ status: 422, code: "validation_failed", fields: [{ pointer: "/username", code: "username_taken" }] });
        if (!(err2 instanceof Problem) || !["link_gone", "link_needed", "email_unverified"].includes(err2.code)) throw err2;
        onFault(err2);
      }
    }, children: [
      /* @__PURE__ */ a4("div", { class: "pair", children: [
        /* @__PURE__ */ a4(Field, { ...field("first_name"), label: t18("firstName"), autoComplete: "given-name", maxLength: 100 }),
        /* @__PURE__ */ a4(Field, { ...field("last_name"), label: t18("lastName"), autoComplete: "family-name", maxLength: 100 })
      ] }),
      /* @__PURE__ */ a4(Field, { ...field("username"), label: t18("username"), hint: t18("usernameHint"), autoComplete: "username", maxLength: 32, spellcheck: false })
    ] }),
    /* @__PURE__ */ a4("p", { class: "aside", children: [
      t18("newNot"),
      " ",
      /* @__PURE__ */ a4("a", { href: start(found.provider), "data-leave": true, children: t18("newOther") })
    ] })
  ] });
}
function Same({ code, found, onFault }) {
  const label = useLabel(found.provider);
  const account2 = me();
  const asked3 = T2(false);
  const SignIn2 = signInForm();
  async function connect2() {
    await post("/account/identities/{provider}/confirm", { path: { provider: found.provider }, body: { code } });
    leave4(t18("connected", { name: label }));
  }
  useOnce(connect2, onFault, account2 !== void 0 && asked3.current);
  A2(focusMain, []);
  if (auth.value.is === "starting" || account2 && asked3.current) return /* @__PURE__ */ a4(Busy, {});
  const text2 = /* @__PURE__ */ a4("p", { class: "identity", children: t18("linkText", { email: found.email, name: label }) });
  if (account2) {
    return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
      /* @__PURE__ */ a4("div", { class: "arrived", children: [
        /* @__PURE__ */ a4("h1", { children: t18("linkTitle") }),
        /* @__PURE__ */ a4("p", { class: "identity", children: t18("linkIn", { username: account2.username, name: label }) })
      ] }),
      /* @__PURE__ */ a4(Form, { submit: t18("connectDo", { name: label }), onCancel: () => leave4(), onSubmit: connect2, children: null })
    ] });
  }
  asked3.current = true;
  return SignIn2 ? /* @__PURE__ */ a4(SignIn2, { title: t18("linkTitle"), submit: t18("linkDo", { name: label }), children: /* @__PURE__ */ a4("div", { class: "arrived", children: [
    text2,
    /* @__PURE__ */ a4("p", { class: "hint", children: t18("linkWhy") })
  ] }) }) : text2;
}
function Link({ code, found, onFault }) {
  const label = useLabel(found.provider);
  const state = auth.value;
  useOnce(async () => {
    await post("/account/identities/{provider}/confirm", { path: { provider: found.provider }, body: { code } });
    leave4(t18("connected", { name: label }));
  }, onFault, state.is === "in");
  return state.is === "out" ? /* @__PURE__ */ a4(Out, { label }) : /* @__PURE__ */ a4(Busy, {});
}
function Renew({ code, found, onFault }) {
  const label = useLabel(found.provider);
  const state = auth.value;
  useOnce(async () => {
    const opened = await post("/account/reauthenticate/social/{provider}/confirm", { path: { provider: found.provider }, body: { code } });
    if ("attempt_id" in opened) {
      if (await keeper().prove({ challenge: opened, by: label })) leave4(t18("proved"));
      else leave4();
      return;
    }
    if ("access_token" in opened) await keeper().take(opened);
    leave4(t18("proved"));
  }, onFault, "account" in state);
  return state.is === "out" ? /* @__PURE__ */ a4(Out, { label }) : /* @__PURE__ */ a4(Busy, {});
}
function Out({ label }) {
  return /* @__PURE__ */ a4("div", { class: "card narrow", children: [
    /* @__PURE__ */ a4("span", { class: "badge", children: /* @__PURE__ */ a4(Icon, { name: "user" }) }),
    /* @__PURE__ */ a4("h1", { children: t18("outTitle") }),
    /* @__PURE__ */ a4("p", { children: t18("outText", { name: label }) }),
    /* @__PURE__ */ a4("div", { class: "form-actions", children: /* @__PURE__ */ a4("a", { class: "button primary", href: signInPath(), children: t18("title") }) })
  ] });
}

// src/social/connected.tsx
function Connected() {
  const { data, problem: problem2, reload } = useLoad(async (signal) => {
    const [{ items }, lines] = await Promise.all([get("/account/identities", { signal }), get("/account/security", { signal })]);
    return { items, others: (lines.password?.enabled ?? true ? 1 : 0) + (lines.passkeys?.left ?? 0) };
  }, []);
  const configured = useProviders();
  const [going2, setGoing] = d2();
  const [busy3, setBusy] = d2(false);
  if (configured.length === 0 && !data?.items.length && !problem2) return null;
  const rows = configured.map(({ id, label }) => ({ id, label, identity: data?.items.find(({ provider }) => provider === id) }));
  for (const identity of data?.items ?? []) if (!configured.some(({ id }) => id === identity.provider)) rows.push({ id: identity.provider, label: identity.label, identity });
  const only2 = data !== void 0 && data.others === 0 && data.items.length === 1;
  async function connect2(provider) {
    if (busy3) return;
    setBusy(true);
    try {
      const { url } = await post("/account/identities/{provider}", { path: { provider } });
      keepTyped();
      begin3({ purpose: "link", provider, to: here() });
      location.assign(url);
    } catch (err2) {
      toastProblem(err2);
      setBusy(false);
    }
  }
  return /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": "connected", children: [
    /* @__PURE__ */ a4("div", { children: [
      /* @__PURE__ */ a4("h2", { id: "connected", children: t18("section") }),
      /* @__PURE__ */ a4("p", { class: "hint", children: t18("sectionText") })
    ] }),
    problem2 ? /* @__PURE__ */ a4(Failed, { problem: problem2, retry: reload }) : !data ? /* @__PURE__ */ a4(Skeleton, { rows: 2 }) : /* @__PURE__ */ a4("ul", { class: "connected", children: rows.map(({ id, label, identity }) => /* @__PURE__ */ a4("li", { children: [
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("h3", { children: label }),
        identity ? /* @__PURE__ */ a4($, { children: [
          /* @__PURE__ */ a4("p", { class: "identity", children: identity.email }),
          /* @__PURE__ */ a4("p", { class: "hint", children: [
            t18("since"),
            " ",
            /* @__PURE__ */ a4(Time, { at: identity.created_at, children: date(identity.created_at) }),
            " · ",
            identity.last_used_at ? /* @__PURE__ */ a4($, { children: [
              t18("lastUsed"),
              " ",
              /* @__PURE__ */ a4(Time, { at: identity.last_used_at, children: ago(identity.last_used_at) })
            ] }) : t18("neverUsed")
          ] }),
          only2 && /* @__PURE__ */ a4("p", { class: "hint", children: [
            t18("onlyWay"),
            " ",
            securityPage() && /* @__PURE__ */ a4("a", { href: securityPage().href, children: securityPage().label() })
          ] })
        ] }) : /* @__PURE__ */ a4("p", { class: "hint", children: t18("notConnected") })
      ] }),
      identity ? !only2 && /* @__PURE__ */ a4("button", { type: "button", class: "button", "aria-label": t18("disconnectLabel", { name: label }), onClick: () => setGoing(identity), children: t18("disconnect") }) : /* @__PURE__ */ a4("button", { type: "button", class: "button", "aria-label": t18("connectLabel", { name: label }), "aria-disabled": busy3, onClick: () => void connect2(id), children: t18("connect") })
    ] }, id)) }),
    going2 && /* @__PURE__ */ a4(Confirm, { title: t18("disconnectTitle", { name: going2.label }), action: t18("disconnect"), onClose: () => setGoing(void 0), onConfirm: async () => {
      await del("/account/identities/{provider}", { path: { provider: going2.provider } }).catch((err2) => {
        if (!(err2 instanceof Problem) || err2.status !== 404) throw err2;
      });
      toast(t18("disconnected", { name: going2.label }));
      await reload();
    }, children: /* @__PURE__ */ a4("p", { children: t18("disconnectText", { name: going2.label }) }) })
  ] });
}
function ConnectionsGo() {
  const { data } = useLoad((signal) => get("/account/identities", { signal }), []);
  if (!data?.items.length) return null;
  return /* @__PURE__ */ a4("li", { children: t18("goes", { count: data.items.length, names: data.items.map(({ label }) => label).join(", ") }) });
}
function Names2({ lines }) {
  return /* @__PURE__ */ a4($, { children: useProviders().filter(({ id }) => lines["identity_" + id]?.enabled).map(({ id, label }) => /* @__PURE__ */ a4("li", { children: [
    /* @__PURE__ */ a4(Icon, { name: "check" }),
    " ",
    label
  ] }, id)) });
}

// src/social/prove.tsx
function Prove2({ main, onOpened }) {
  const { data } = useLoad((signal) => get("/account/identities", { quiet: true, signal }), []);
  const providers = useProviders();
  const [away, setAway] = d2();
  const [problem2, setProblem] = d2();
  const first = T2(null);
  const wait = T2(void 0);
  const mine2 = providers.filter(({ id }) => data?.items.some(({ provider }) => provider === id));
  A2(() => () => wait.current?.close(), []);
  A2(() => {
    if (main && !away) first.current?.focus();
  }, [main, mine2.length, away]);
  async function came(from, { code, error }) {
    wait.current?.close();
    setAway(void 0);
    try {
      if (!code) throw new Problem({ status: 0, code: error ?? "link_gone" });
      await onOpened(await post("/account/reauthenticate/social/{provider}/confirm", { path: { provider: from.id }, body: { code } }), from.label);
    } catch (err2) {
      setProblem(asProblem(err2));
    }
  }
  async function leave5(to) {
    setProblem(void 0);
    wait.current?.close();
    wait.current = listen((back) => void came(to, back));
    const other = window.open("", "", "popup,width=520,height=720");
    if (other) wait.current.mark(other);
    try {
      const { url } = await post("/account/reauthenticate/social/{provider}", { path: { provider: to.id } });
      if (other) {
        setAway(to);
        other.location.replace(url);
        return;
      }
      keepTyped();
      begin3({ purpose: "renew", provider: to.id, to: here() });
      location.assign(url);
    } catch (err2) {
      other?.close();
      wait.current.close();
      setProblem(asProblem(err2));
    }
  }
  if (mine2.length === 0) return null;
  return /* @__PURE__ */ a4($, { children: [
    problem2 && /* @__PURE__ */ a4(Failed, { problem: problem2 }),
    away ? /* @__PURE__ */ a4("div", { class: "notice", role: "status", children: /* @__PURE__ */ a4("div", { children: [
      /* @__PURE__ */ a4("p", { children: t18("proveWait", { name: away.label }) }),
      /* @__PURE__ */ a4("div", { class: "card-buttons", children: [
        /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => void leave5(away), children: t18("proveAgain") }),
        /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => {
          wait.current?.close();
          setAway(void 0);
        }, children: t18("proveOther") })
      ] })
    ] }) }) : mine2.map((provider, i4) => /* @__PURE__ */ a4("button", { ref: i4 === 0 ? first : void 0, type: "button", class: main && i4 === 0 ? "button primary provider" : "button provider", onClick: () => void leave5(provider), children: t18("prove", { name: provider.label }) }, provider.id))
  ] });
}

// src/social/room.ts
var social = {
  routes: [{ path: "/social", page: Arrive, title: () => t18("title"), open: true }],
  enter: { Entry: Buttons, order: 2, signUp: true },
  prove: { Way: Prove2, on: (lines) => Object.keys(lines).some((name) => name.startsWith("identity_") && lines[name].enabled), order: 3 },
  activate: { Way: Again, order: 2 },
  wayIn: { Names: Names2, order: 2 },
  account: { Section: Connected, order: 1 },
  loss: { Line: ConnectionsGo, order: 10 },
  problems: problems14
};

// src/totp/words.ts
var t19 = catalog({
  en: {
    step: "Code from your app",
    code: "Code from your authenticator app",
    codeHint: "Six digits. A new code comes every 30 seconds, and each works once.",
    go: "Continue",
    title: "Authenticator app",
    on: "On",
    off: "Off",
    onText: "When you sign in on a new device, you are asked for a code from your app.",
    offText: "When you sign in, you are also asked for a code from an app on your phone. With this on, a stolen password is not enough.",
    enable: "Turn on",
    disable: "Turn off",
    enrol: "Set up your authenticator app",
    instead: "Set up the app instead",
    scan: "Scan this QR code with your authenticator app.",
    qr: "QR code for the authenticator app; the setup key below says the same in letters",
    orType: "Or type this setup key into the app:",
    type: "Enter the code that the app shows now.",
    enabled: "Authenticator app is on.",
    disabled: "Authenticator app is off.",
    disableTitle: "Turn off the authenticator app?",
    disableText: "After that, no sign-in asks for a code from your app.",
    goStep: "Your authenticator app as a sign-in step"
  },
  de: {
    step: "Code aus Ihrer App",
    code: "Code aus Ihrer Authenticator-App",
    codeHint: "Sechs Ziffern. Alle 30 Sekunden kommt ein neuer Code, und jeder gilt einmal.",
    go: "Weiter",
    title: "Authenticator-App",
    on: "An",
    off: "Aus",
    onText: "Wenn Sie sich auf einem neuen Gerät anmelden, werden Sie nach einem Code aus Ihrer App gefragt.",
    offText: "Beim Anmelden werden Sie auch nach einem Code aus einer App auf Ihrem Telefon gefragt. Dann reicht ein gestohlenes Passwort nicht aus.",
    enable: "Einschalten",
    disable: "Ausschalten",
    enrol: "Authenticator-App einrichten",
    instead: "Lieber die App einrichten",
    scan: "Scannen Sie diesen QR-Code mit Ihrer Authenticator-App.",
    qr: "QR-Code für die Authenticator-App; der Einrichtungsschlüssel darunter sagt dasselbe in Buchstaben",
    orType: "Oder tippen Sie diesen Einrichtungsschlüssel in die App:",
    type: "Geben Sie den Code ein, den die App jetzt zeigt.",
    enabled: "Die Authenticator-App ist an.",
    disabled: "Die Authenticator-App ist aus.",
    disableTitle: "Authenticator-App ausschalten?",
    disableText: "Danach fragt keine Anmeldung mehr nach einem Code aus Ihrer App.",
    goStep: "Ihre Authenticator-App als Anmeldeschritt"
  }
});
var problems15 = catalog({
  en: {
    wrong_totp: "That code is not right. If this happens again, the clock of your phone may be wrong: let it set the time by itself.",
    totp_locked: "Too many wrong codes were entered. No code of your authenticator app is accepted for now.",
    totp_already_enabled: "An authenticator app is on already. Turn it off first.",
    totp_not_pending: "This took too long, or too many codes were wrong. Please begin the set-up again."
  },
  de: {
    wrong_totp: "Dieser Code stimmt nicht. Wenn das noch einmal vorkommt, geht vielleicht die Uhr Ihres Telefons falsch: Lassen Sie es die Zeit selbst einstellen.",
    totp_locked: "Es wurden zu viele falsche Codes eingegeben. Zurzeit wird kein Code Ihrer Authenticator-App angenommen.",
    totp_already_enabled: "Eine Authenticator-App ist schon an. Schalten Sie sie zuerst aus.",
    totp_not_pending: "Das hat zu lange gedauert, oder zu viele Codes waren falsch. Bitte beginnen Sie die Einrichtung von vorn."
  }
});

// src/totp/wrong.ts
async function sendCode(send4) {
  try {
    return await send4;
  } catch (err2) {
    throw err2 instanceof Problem && err2.code === "invalid_code" ? new Problem({ status: err2.status, code: "wrong_totp" }) : err2;
  }
}

// src/totp/section.tsx
var wanted3 = y3(false);
var setUp2 = () => void (wanted3.value = true);
function Section5({ status }) {
  const { data, problem: problem2, reload } = status;
  const [enrolment, setEnrolment] = d2();
  const [disabling, setDisabling] = d2(false);
  const [busy3, setBusy] = d2(false);
  const on = data?.totp?.enabled ?? false;
  async function begin4() {
    setBusy(true);
    try {
      setEnrolment(await post("/account/totp"));
    } catch (err2) {
      toastProblem(err2);
    } finally {
      setBusy(false);
    }
  }
  A2(() => {
    if (!wanted3.value) return;
    wanted3.value = false;
    void begin4();
  }, [wanted3.value]);
  return /* @__PURE__ */ a4("section", { class: "card", "aria-labelledby": "totp", children: [
    /* @__PURE__ */ a4("div", { class: "card-head", children: [
      /* @__PURE__ */ a4("div", { children: [
        /* @__PURE__ */ a4("h2", { id: "totp", children: [
          t19("title"),
          " ",
          data && /* @__PURE__ */ a4("span", { class: on ? "tag good" : "tag", children: on ? t19("on") : t19("off") })
        ] }),
        /* @__PURE__ */ a4("p", { class: "hint", children: on ? t19("onText") : t19("offText") })
      ] }),
      data && (on ? /* @__PURE__ */ a4("button", { type: "button", class: "button", onClick: () => setDisabling(true), children: t19("disable") }) : /* @__PURE__ */ a4("button", { type: "button", class: "button", disabled: busy3, onClick: begin4, children: t19("enable") }))
    ] }),
    !data && !problem2 && /* @__PURE__ */ a4(Skeleton, { rows: 1 }),
    enrolment && /* @__PURE__ */ a4(Dialog, { title: t19("enrol"), onClose: () => setEnrolment(void 0), children: /* @__PURE__ */ a4(Enrol, { enrolment, onClose: () => setEnrolment(void 0), onDone: async () => {
      setEnrolment(void 0);
      toast(t19("enabled"));
      await reload();
    } }) }),
    disabling && /* @__PURE__ */ a4(TurnOff, { title: t19("disableTitle"), onClose: () => setDisabling(false), off: (recovery2) => del("/account/totp", { query: { recovery: recovery2 } }), onOff: async () => {
      toast(t19("disabled"));
      await reload();
    }, children: /* @__PURE__ */ a4("p", { children: t19("disableText") }) })
  ] });
}
function StepGoes4() {
  const { data } = useLoad((signal) => get("/account/security", { signal }), []);
  return data?.totp?.enabled ? /* @__PURE__ */ a4("li", { children: t19("goStep") }) : null;
}
function Enrol({ enrolment, onClose, onDone }) {
  return /* @__PURE__ */ a4($, { children: [
    /* @__PURE__ */ a4("ol", { class: "numbered", children: [
      /* @__PURE__ */ a4("li", { children: [
        /* @__PURE__ */ a4("p", { children: t19("scan") }),
        /* @__PURE__ */ a4("img", { class: "qr", src: "data:image/png;base64," + enrolment.qr_png, width: 200, height: 200, alt: t19("qr") }),
        /* @__PURE__ */ a4("p", { class: "hint", children: t19("orType") }),
        /* @__PURE__ */ a4("div", { class: "secret", children: [
          /* @__PURE__ */ a4("code", { children: enrolment.secret.replace(/(.{4})(?=.)/g, "$1 ") }),
          /* @__PURE__ */ a4(Copy, { text: enrolment.secret })
        ] })
      ] }),
      /* @__PURE__ */ a4("li", { children: /* @__PURE__ */ a4("p", { children: t19("type") }) })
    ] }),
    /* @__PURE__ */ a4(CodeForm, { submit: t19("enable"), label: t19("code"), onCancel: onClose, onCode: async (code) => {
      await sendCode(post("/account/totp/confirm", { body: { code } }));
      await onDone();
    } })
  ] });
}

// src/totp/step.tsx
function Step4({ answer }) {
  return /* @__PURE__ */ a4(CodeForm, { submit: t19("go"), label: t19("code"), hint: t19("codeHint"), autoFocus: true, onCode: (code) => sendCode(answer("/auth/attempts/{id}/totp", { code })) });
}

// src/totp/room.ts
var totp = {
  layers: { totp: { title: () => t19("step"), order: 1, Step: Step4 } },
  security: { Section: Section5, order: 1, first: { layer: "totp", label: () => t19("instead"), run: setUp2 }, advised: { line: "totp", label: () => t19("enrol"), run: setUp2 } },
  loss: { Line: StepGoes4, order: 3 },
  problems: problems15
};

// src/main.tsx
var rooms2 = Object.values(rooms_exports);
startTheme();
startLang();
startRouter();
useRooms(rooms2);
for (const room of rooms2) room.start?.();
startFeed();
Q(/* @__PURE__ */ a4(App, {}), document.getElementById("app"));
/*! Bundled license information:

qr/index.js:
  (*!
   * Copyright (c) 2023 Paul Miller (paulmillr.com)
   * SPDX-License-Identifier: MIT OR Apache-2.0
   *)

tus-js-client/lib.esm/upload.js:
tus-js-client/lib.esm/browser/fileReader.js:
  (*! regenerator-runtime -- Copyright (c) 2014-present, Facebook, Inc. -- license (MIT): https://github.com/facebook/regenerator/blob/main/LICENSE *)
*/
