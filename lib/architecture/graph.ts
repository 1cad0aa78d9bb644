import { z } from 'zod';
import { ConfigurationError } from '../config/configuration-error.ts';
import type { AssemblyResource, StageAssembly } from './assembly.ts';
import { type Kind, kinds, unknownTypes } from './kinds.ts';

/** A resource that refers to one of another part of the system. */
interface Reference {
  readonly from: AssemblyResource;
  readonly to: AssemblyResource;
}

const stackOutput = z.object({ StackName: z.string(), OutputName: z.string() });
const attribute = z.union([z.string().transform((text) => text.split('.')), z.array(z.unknown())]);

/** Stack and logical id of all that `value`, in a template of `stack`, refers to; outputs of other stacks are followed. */
function* referred(
  value: unknown,
  stack: string,
  assembly: StageAssembly,
): Generator<readonly [stack: string, logicalId: string]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, content] of Object.entries(value)) {
    if (key === 'Ref') {
      yield [stack, String(content)];
    } else if (key === 'Fn::GetAtt') {
      yield [stack, String(attribute.parse(content)[0])];
    } else if (key === 'Fn::GetStackOutput') {
      const { StackName, OutputName } = stackOutput.parse(content);
      yield* referred(assembly.outputs.get(StackName)?.get(OutputName), StackName, assembly);
    } else {
      yield* referred(content, stack, assembly);
    }
  }
}

/** Every reference from one part of the system to another. */
function referencesOf(assembly: StageAssembly): readonly Reference[] {
  const byId = new Map(assembly.resources.map((one) => [`${one.stack} ${one.logicalId}`, one]));
  return assembly.resources.flatMap((from) =>
    [...referred(from.properties, from.stack, assembly)].flatMap(([stack, logicalId]) => {
      const to = byId.get(`${stack} ${logicalId}`);
      return to === undefined || to.construct === from.construct ? [] : [{ from, to }];
    }),
  );
}

/** A part of the system, to be drawn as a box. */
export interface PictureNode {
  readonly id: string;
  readonly title: string;
  readonly lines: readonly string[];
  /** Stack that it is in; none for what is not ours. */
  readonly stack?: string;
  readonly isInVpc: boolean;
}

/** What goes from one part to another. */
export interface PictureEdge {
  readonly from: string;
  readonly to: string;
  readonly label: string;
}

/** What is to be drawn. */
export interface PictureGraph {
  readonly nodes: readonly PictureNode[];
  readonly edges: readonly PictureEdge[];
  /** Label of the network that has nodes inside. */
  readonly network: string;
  /** What supports all parts, a sentence each. */
  readonly notes: readonly string[];
}

const CLIENTS = 'clients';
/** Resources whose references say who calls whom: whoever has the address of another uses it. */
const CALLERS = new Set([
  'AWS::CloudFront::Distribution',
  'AWS::ECS::TaskDefinition',
  'AWS::Lambda::Function',
]);
/** Those that refer to what calls them: a rule to its listener. */
const CALLED = new Set(['AWS::ElasticLoadBalancingV2::ListenerRule']);

function byConstruct(
  resources: readonly AssemblyResource[],
): ReadonlyMap<string, readonly AssemblyResource[]> {
  return Map.groupBy(resources, ({ construct }) => construct);
}

function kindOf(resources: readonly AssemblyResource[]): Kind | undefined {
  return kinds.find(({ type }) => resources.some((one) => one.type === type));
}

/** The edge that a reference stands for, or none where it is about something else than calls. */
function callOf({ from, to }: Reference): readonly [from: string, to: string] | undefined {
  if (to.type === 'AWS::WAFv2::WebACL') return [to.construct, from.construct];
  if (to.type === 'AWS::SES::EmailIdentity') return [from.construct, to.construct];
  if (CALLED.has(from.type)) return [to.construct, from.construct];
  return CALLERS.has(from.type) ? [from.construct, to.construct] : undefined;
}

const countOf = (resources: readonly AssemblyResource[], type: string): number =>
  resources.filter((one) => one.type === type).length;

function networkLabel(resources: readonly AssemblyResource[]): string {
  const zones = new Set(
    resources
      .filter(({ type }) => type === 'AWS::EC2::Subnet')
      .map(({ properties }) => String(properties.AvailabilityZone)),
  );
  const gateways = countOf(resources, 'AWS::EC2::NatGateway');
  const endpoints = countOf(resources, 'AWS::EC2::VPCEndpoint');
  return `VPC in ${zones.size} zones, ${gateways} NAT gateway${gateways === 1 ? '' : 's'}, ${endpoints} endpoint${endpoints === 1 ? '' : 's'} of AWS services`;
}

function notesOf(resources: readonly AssemblyResource[]): string[] {
  const count = (type: string): number => countOf(resources, type);
  return [
    `Encrypted with ${count('AWS::KMS::Key')} keys; secrets: ${count('AWS::SecretsManager::Secret')} of ours and that of the database, which RDS rotates.`,
    `${count('AWS::Logs::LogGroup')} log groups, ${count('AWS::CloudWatch::Dashboard')} dashboards, ${count('AWS::CloudWatch::Alarm')} alarms; ${count('AWS::CloudWatch::CompositeAlarm')} composite ones page people once.`,
  ];
}

/**
 * What is to be drawn of a synthesised stage.
 *
 * @throws ConfigurationError for a type of resource of which nobody has said whether the picture shows it.
 */
export function pictureGraph(assembly: StageAssembly): PictureGraph {
  const { resources } = assembly;
  const unknown = unknownTypes(resources);
  if (unknown.length > 0) {
    throw new ConfigurationError([
      `The picture of the architecture does not know ${unknown.join(', ')}. Say in lib/architecture/kinds.ts how to draw it, or that it supports others.`,
    ]);
  }
  const references = referencesOf(assembly);
  const inVpc = new Set(
    references
      .filter(
        ({ from, to }) => to.type === 'AWS::EC2::VPC' && from.type === 'AWS::EC2::SecurityGroup',
      )
      .map(({ from }) => from.construct),
  );
  const parts = new Map(
    [...byConstruct(resources)].flatMap(([construct, own]) => {
      const kind = kindOf(own);
      return kind === undefined ? [] : [[construct, { kind, own }] as const];
    }),
  );
  const calls = new Map<string, PictureEdge>();
  for (const [from, to] of references.flatMap((one) => [callOf(one) ?? []])) {
    const target = to === undefined ? undefined : parts.get(to);
    if (from === undefined || to === undefined || target === undefined || !parts.has(from))
      continue;
    calls.set(`${from} ${to}`, { from, to, label: target.kind.carries });
  }
  const edges = [...calls.values()];
  // Nobody of ours calls the first part on the way of a request.
  const entries = [...parts].filter(
    ([construct, { kind }]) =>
      kind.carries === 'HTTPS' && !edges.some(({ to }) => to === construct),
  );
  return {
    nodes: [
      { id: CLIENTS, title: 'Browsers and programs', lines: [], isInVpc: false },
      ...[...parts].map(([construct, { kind, own }]) => ({
        id: construct,
        ...kind.describe(own, construct),
        stack: construct.split('/')[0] ?? construct,
        isInVpc: inVpc.has(construct),
      })),
    ],
    edges: [
      ...entries.map(([construct, { kind }]) => ({
        from: CLIENTS,
        to: construct,
        label: kind.carries,
      })),
      ...edges,
    ],
    network: networkLabel(resources),
    notes: notesOf(resources),
  };
}
