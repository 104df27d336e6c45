/** As much of JSON schema as our own schemas use. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
}

/** Where a value is not what a JSON schema says, of which this knows what our own schemas use. */
export function schemaProblems(value: unknown, schema: Schema, at = '$'): readonly string[] {
  const problems: string[] = [];
  const types = schema.type === undefined ? [] : [schema.type].flat();
  if (types.length > 0 && !types.includes(typeOf(value)))
    problems.push(`${at} is ${typeOf(value)}, not ${types.join(' or ')}`);
  if (typeof value === 'string' && schema.pattern !== undefined && !new RegExp(schema.pattern).test(value))
    problems.push(`${at} does not match ${schema.pattern}`);
  if (typeof value === 'number' && value < (schema.minimum ?? Number.NEGATIVE_INFINITY))
    problems.push(`${at} is less than ${schema.minimum}`);
  if (schema.const !== undefined && value !== schema.const) problems.push(`${at} is not ${schema.const}`);
  if (schema.enum && !schema.enum.includes(value))
    problems.push(`${at} is none of ${schema.enum.join(', ')}`);
  if (Array.isArray(value) && schema.items)
    for (const [i, item] of value.entries())
      problems.push(...schemaProblems(item, schema.items, `${at}[${i}]`));
  if (typeOf(value) !== 'object') return problems;
  const { properties = {}, required = [], additionalProperties: more = true } = schema;
  for (const name of required)
    if (!Object.hasOwn(value as object, name)) problems.push(`${at} has no ${name}`);
  for (const [name, item] of Object.entries(value as object)) {
    const known = Object.hasOwn(properties, name) ? properties[name] : more;
    if (known === false) problems.push(`${at} has the unknown ${name}`);
    else if (typeof known === 'object') problems.push(...schemaProblems(item, known, `${at}.${name}`));
  }
  return problems;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}
