/**
 * Writes src/api/schema.d.ts from openapi.json.
 *
 * An object of which the document names no member stands for any JSON there (a property value, an expression), so it
 * becomes `unknown`: the app has to look before it uses one.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';
import ts from 'typescript';

const UNKNOWN = ts.factory.createKeywordTypeNode(ts.SyntaxKind.UnknownKeyword);

function transform(schema) {
  const types = [schema.type].flat();
  const bare = !schema.properties && !schema.additionalProperties && !schema.allOf && !schema.oneOf;
  return types.includes('object') && bare ? UNKNOWN : undefined;
}

const document = JSON.parse(readFileSync(new URL('../openapi.json', import.meta.url), 'utf8'));
for (const [path, methods] of Object.entries(document.paths)) {
  for (const operation of Object.values(methods)) {
    // Calls go by path and method here; ids of operations have no use, and need not be unique.
    delete operation.operationId;
    // What the path does not name can only be part of the query.
    for (const parameter of operation.parameters ?? []) {
      if (parameter.in === 'path' && !path.includes(`{${parameter.name}}`)) {
        Object.assign(parameter, { in: 'query', required: false });
      }
    }
  }
}
const nodes = await openapiTS(document, { transform });
writeFileSync(
  new URL('../src/api/schema.d.ts', import.meta.url),
  `// Generated from openapi.json by \`npm run schema\`. Do not edit.\n${astToString(nodes)}`,
);
