// A typed client for browsers and Node: every path, body and problem code is checked by the compiler.
//
//   const dangol = dangolClient("http://127.0.0.1:8080", () => token);
//   const { data, error } = await dangol.GET("/api/subscriptions/current");

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

export type Problem = components["schemas"]["Problem"];

/** `token` is asked before each request, so that a renewed one is used at once. */
export function dangolClient(baseUrl: string, token: () => string | undefined) {
  const client = createClient<paths>({ baseUrl });
  client.use({
    onRequest({ request }) {
      const bearer = token();
      if (bearer) request.headers.set("authorization", `Bearer ${bearer}`);
      return request;
    },
  });
  return client;
}
