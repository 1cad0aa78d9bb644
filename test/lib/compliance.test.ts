import { type App, Stack, Validations } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks, NIST80053R5Checks } from 'cdk-nag';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { stageDefinitions } from '../../lib/config/stages/stages.ts';
import { createTestApp, synthesiseStages } from './support/app.ts';
import { choices } from './support/variants.ts';

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

const acknowledgements = z.record(z.string(), z.string());

describe('cdk-nag’s AwsSolutions and NIST 800-53 R5', () => {
  let app: App;

  beforeAll(() => {
    ({ app } = synthesiseStages([...stageDefinitions, choices], {
      images: { 'user-api': 'example.com/api:1.0.0' },
    }));
  });

  it('on every stage, and on what stages may choose besides, find nothing that is not acknowledged', () => {
    expect(findings(app)).toEqual([]);
  });

  it('on a bucket that is only a bucket, find what is wrong with it', () => {
    const own = createTestApp();
    new s3.CfnBucket(new Stack(own, 'Stack'), 'Bucket');
    expect(findings(own)).toEqual(
      expect.arrayContaining([
        'AwsSolutions-S1 at Stack/Bucket',
        'AwsSolutions-S10 at Stack/Bucket',
      ]),
    );
  });

  it('acknowledged anywhere, are acknowledged for a reason of their own', () => {
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
