import { Document, visit } from 'yaml';
import type { Template } from './templates.ts';

/** Numbers in names that change with what is bundled, or with the Node.js that runs it; nothing else may be hidden here. */
const volatile: readonly (readonly [RegExp, string])[] = [
  // Of assets: S3 keys and image tags.
  [/\b[0-9a-f]{64}\b/g, '<asset>'],
  // The logical id of a function's version ends in a hash of the function.
  [/(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}\b/g, '$1'],
  [/^nodejs\d+\.x$/, 'nodejs'],
];

/** Lists and maps up to this many characters stand on one line. */
const LINE_WIDTH = 80;
/** Depth of the document, of `Resources`, and of one resource: each a block of its own. */
const TOP_LEVELS = 5;

function hideVolatile(text: string): string {
  return volatile.reduce((current, [pattern, name]) => current.replace(pattern, name), text);
}

type Intrinsic = (argument: unknown) => unknown;

function outputReference(argument: unknown): unknown {
  if (typeof argument !== 'object' || argument === null) return undefined;
  const { StackName, OutputName, Region } = {
    StackName: '',
    OutputName: '',
    Region: '',
    ...argument,
  };
  return `\${${StackName} in ${Region}: ${OutputName.replace('PublishOutput', '')}}`;
}

function joined(argument: unknown): unknown {
  if (!Array.isArray(argument)) return undefined;
  const [separator, parts] = argument;
  if (typeof separator !== 'string' || !Array.isArray(parts)) return undefined;
  const texts = parts.map(readable);
  return texts.every((text) => typeof text === 'string') ? texts.join(separator) : undefined;
}

/** CloudFormation's functions, written as in its own string templates: `${Resource}`, `${Resource.Attribute}`. */
const intrinsics: Readonly<Record<string, Intrinsic>> = {
  Ref: (name) => `\${${hideVolatile(String(name))}}`,
  'Fn::GetAtt': (path) => (Array.isArray(path) ? `\${${path.join('.')}}` : undefined),
  'Fn::Sub': (text) => (typeof text === 'string' ? hideVolatile(text) : undefined),
  'Fn::GetStackOutput': outputReference,
  'Fn::Join': joined,
};

/** JSON in a string, such as the body of a dashboard, as what it says. */
function parsed(text: string): unknown {
  if (!text.startsWith('{"')) return text;
  try {
    return { 'as JSON': JSON.parse(text.replaceAll('"+"', '')) };
  } catch {
    return text;
  }
}

export function readable(value: unknown): unknown {
  if (typeof value === 'string') return hideVolatile(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(readable);
  const entries = Object.entries(value);
  const [only] = entries;
  if (only !== undefined && entries.length === 1) {
    const [name, argument] = only;
    const text = intrinsics[name]?.(argument);
    if (text !== undefined) return text;
  }
  return Object.fromEntries(
    entries.map(([key, item]) => {
      const content = readable(item);
      return [hideVolatile(key), typeof content === 'string' ? parsed(content) : content];
    }),
  );
}

/**
 * A template as a person would write it, and without what changes when only bundled code, or the Node.js that runs it, changes.
 * What the CDK adds to every template (the check of the bootstrap stack, paths of constructs) is left out.
 */
export function readableTemplate(template: Template): string {
  const resources = Object.entries(template.Resources).map(([logicalId, resource]) => {
    const { Type, Properties, DependsOn, Metadata: _, ...policies } = resource;
    return [
      logicalId,
      { Type, ...policies, Properties, ...(DependsOn === undefined ? {} : { DependsOn }) },
    ];
  });
  const document = { Resources: Object.fromEntries(resources), Outputs: template.Outputs };
  const yaml = new Document(readable(document), { aliasDuplicateObjects: false });
  visit(yaml, {
    Collection(_key, node, path) {
      const isTopLevel = path.length <= TOP_LEVELS;
      if (!isTopLevel && JSON.stringify(node.toJSON()).length <= LINE_WIDTH) node.flow = true;
    },
  });
  return yaml.toString({ lineWidth: 0 });
}
