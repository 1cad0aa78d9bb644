import { describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { stages } from './support/stages.ts';
import { readTemplates, resourcesOf } from './support/templates.ts';
import { choices } from './support/variants.ts';

const stacks = readTemplates(inject('cloudAssembly'));
const of = (stage: string, type: string) =>
  resourcesOf(
    stacks.filter((stack) => stack.stage === stage && stack.part === 'network'),
    type,
  );

const subnet = z.looseObject({
  AvailabilityZone: z.string(),
  Tags: z.array(z.object({ Key: z.string(), Value: z.string() })),
});

describe('the network', () => {
  it('in dev, is over two zones, and in the larger stages over three', () => {
    const zones = Object.fromEntries(
      stages.map(({ name }) => [
        name,
        new Set(
          of(name, 'AWS::EC2::Subnet').map(
            ({ Properties }) => subnet.parse(Properties).AvailabilityZone,
          ),
        ).size,
      ]),
    );
    expect(zones).toMatchObject({ dev: 2, staging: 3, production: 3, million: 3 });
  });

  it.each(stages)(
    'of $name, has a public, a private and an isolated subnet in each zone',
    (stage) => {
      const kinds = of(stage.name, 'AWS::EC2::Subnet').map(({ Properties }) => {
        const { AvailabilityZone, Tags } = subnet.parse(Properties);
        const kind = Tags.find(({ Key }) => Key === 'aws-cdk:subnet-type')?.Value;
        return `${AvailabilityZone} ${kind}`;
      });
      const expected = stage.availabilityZones.flatMap((zone) =>
        ['Public', 'Private', 'Isolated'].map((kind) => `${stage.region}${zone} ${kind}`),
      );
      expect(kinds.sort()).toEqual(expected.sort());
    },
  );

  it.each(stages)('of $name, has as many NAT gateways as its policy asks for', (stage) => {
    const { natGateways } = stage.policy.network;
    expect(of(stage.name, 'AWS::EC2::NatGateway')).toHaveLength(
      natGateways === 'one' ? 1 : stage.availabilityZones.length,
    );
  });

  it.each(stages)('of $name, lets isolated subnets reach nothing outside', (stage) => {
    const tables = of(stage.name, 'AWS::EC2::Route').map(({ Properties }) =>
      JSON.stringify(Properties.RouteTableId),
    );
    expect(tables.length).toBeGreaterThan(0);
    for (const table of tables) expect(table).not.toContain('Isolated');
  });

  it.each(stages)(
    'of $name, reaches S3, and where it is cheaper other services, without NAT',
    (stage) => {
      const endpoints = of(stage.name, 'AWS::EC2::VPCEndpoint').map(({ Properties }) => ({
        type: Properties.VpcEndpointType,
        service: JSON.stringify(Properties.ServiceName),
      }));
      const gateways = endpoints.filter(({ type }) => type === 'Gateway');
      expect(gateways).toHaveLength(1);
      expect(gateways[0]?.service).toContain('.s3');
      const { interfaceEndpoints } = stage.size.network;
      const interfaces = endpoints.filter(({ type }) => type === 'Interface');
      expect(interfaces).toHaveLength(interfaceEndpoints.length);
      for (const name of interfaceEndpoints) {
        expect(
          interfaces.some(({ service }) => service.endsWith(`.${name}"`)),
          name,
        ).toBe(true);
      }
    },
  );

  it('of a stage that lists endpoints, has those, for HTTPS from within the VPC alone', () => {
    const own = readTemplates(inject('variantAssembly')).filter(
      ({ name }) => name === 'headroom-choices-network',
    );
    const interfaces = resourcesOf(own, 'AWS::EC2::VPCEndpoint').filter(
      ({ Properties }) => Properties.VpcEndpointType === 'Interface',
    );
    expect(interfaces.map(({ Properties }) => Properties.PrivateDnsEnabled)).toEqual([true, true]);
    const [group] = resourcesOf(own, 'AWS::EC2::SecurityGroup');
    expect(group?.Properties.SecurityGroupIngress).toEqual([
      expect.objectContaining({
        CidrIp: choices.policy.network.addressRange,
        FromPort: 443,
        ToPort: 443,
      }),
    ]);
  });

  it.each(stages)('of $name, logs all flows, and empties the default security group', (stage) => {
    const flowLogs = of(stage.name, 'AWS::EC2::FlowLog').map(({ Properties }) => Properties);
    expect(flowLogs).toMatchObject([{ TrafficType: 'ALL', ResourceType: 'VPC' }]);
    expect(of(stage.name, 'Custom::VpcRestrictDefaultSG')).toHaveLength(1);
  });
});
