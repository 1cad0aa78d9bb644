import { type App, Stack, Validations } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks, NIST80053R5Checks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { StageDefinition } from '../../lib/config/stage.ts';
import { dev } from '../../lib/config/stages/dev.ts';
import { production } from '../../lib/config/stages/production.ts';
import { stageDefinitions } from '../../lib/config/stages.ts';
import { createApp, synthesiseStages } from './support/app.ts';

/** What the rules of both packs find and nobody has acknowledged: `<rule> at <path>`. */
function findings(app: App): string[] {
  return [new AwsSolutionsChecks(), new NIST80053R5Checks()].flatMap((pack) =>
    pack
      .validateScope(app)
      .violations.flatMap(({ ruleName, violatingResources }) =>
        violatingResources.map(({ constructPath }) => `${ruleName} at ${constructPath}`),
      ),
  );
}

/** Choices that no stage makes now, so that the first one that does finds the same guard rails. */
const otherChoices: readonly StageDefinition[] = [
  {
    ...production,
    policy: {
      ...production.policy,
      domain: {
        name: 'api.headroom.example',
        hostedZoneId: 'Z0123456789ABC',
        hostedZoneName: 'headroom.example',
      },
      database: { mode: 'provisioned', ioOptimized: 'always', insights: 'standard' },
      scaling: 'steps',
    },
  },
  { ...dev, policy: { ...dev.policy, cacheEngine: 'redis' } },
];

const acknowledgements = z.record(z.string(), z.string());

describe('cdk-nag’s AwsSolutions and NIST 800-53 R5', () => {
  it('on every stage, find nothing that is not acknowledged', () => {
    expect(findings(synthesiseStages(stageDefinitions).app)).toEqual([]);
  });

  it('on what stages may choose besides, find nothing that is not acknowledged', () => {
    expect(findings(synthesiseStages(otherChoices).app)).toEqual([]);
  });

  it('on a bucket that is only a bucket, find what is wrong with it', () => {
    const app = createApp();
    new s3.CfnBucket(new Stack(app, 'Stack'), 'Bucket');
    expect(findings(app)).toEqual(
      expect.arrayContaining([
        'AwsSolutions-S1 at Stack/Bucket',
        'AwsSolutions-S10 at Stack/Bucket',
      ]),
    );
  });

  it('acknowledged anywhere, are acknowledged for a reason of their own', () => {
    const { app } = synthesiseStages([dev]);
    const reasons = app.node
      .findAll()
      .flatMap(({ node }) => node.metadata)
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .flatMap(({ data }) => Object.entries(acknowledgements.parse(data)))
      // The CDK acknowledges some of its own.
      .filter(([id]) => !id.startsWith('CloudFormation-Validate::F'));
    expect(reasons.length).toBeGreaterThan(0);
    for (const [id, reason] of reasons) expect(reason, id).toMatch(/^[A-Z].{40,}\.$/);
  });
});
