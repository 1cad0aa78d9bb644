import { z } from 'zod';
import { type Overrides, overridesSchema } from './overrides.ts';
import { type Policy, policy } from './policy.ts';
import type { AlarmThresholds, StageSize } from './size.ts';
import { workers } from './workers.ts';
import { type Workload, workload } from './workload.ts';

export type { AlarmThresholds, StageSize } from './size.ts';

/** One stage as its file states it: where it is, what it carries, and what its owners want. */
export interface StageDefinition {
  /** Name of the stage; part of every stack's name (`headroom-<name>-<part>`). */
  readonly name: string;
  /** AWS region of everything but CloudFront and what belongs to it, which is in us-east-1. */
  readonly region: string;
  /**
   * Letters of the zones to use; fixed here, so that synthesis asks AWS nothing. Zones differ from account to account: CloudFront
   * cannot reach some of them (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html).
   */
  readonly availabilityZones: readonly string[];
  readonly workload: Workload;
  readonly policy: Policy;
  /** Figures in place of computed ones, by name. @default none */
  readonly overrides?: Overrides;
}

/** The schema of a {@link StageDefinition}. */
export const stageDefinition = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^[a-z][a-z0-9-]{0,19}$/,
        'It takes lower-case letters, digits and hyphens, at most 20',
      ),
    region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'It takes a region such as eu-west-1'),
    availabilityZones: z
      .array(z.string().regex(/^[a-z]$/, 'It takes the letter of a zone'))
      .min(2, 'It takes at least two zones, as load balancers and Aurora do')
      .max(6, 'It takes at most 6 zones')
      .readonly(),
    workload,
    policy,
    overrides: overridesSchema(workers).optional(),
  })
  .superRefine(({ policy: wanted }, context) => {
    const problem = (path: readonly PropertyKey[], message: string) =>
      context.addIssue({ code: 'custom', path: ['policy', ...path], message });
    if (!wanted.email.sender.replace(/>$/, '').endsWith(`@${wanted.email.domain}`)) {
      problem(
        ['email', 'sender'],
        `It takes an address at ${wanted.email.domain}, as SES refuses others`,
      );
    }
    for (const [index, event] of wanted.events.entries()) {
      if (event.from >= event.until) {
        problem(['events', index, 'until'], `It takes a time after from (${event.from})`);
      }
    }
    const { domain } = wanted;
    if (domain !== undefined && !`.${domain.name}`.endsWith(`.${domain.hostedZoneName}`)) {
      problem(['domain', 'name'], `It takes a name in ${domain.hostedZoneName}`);
    }
  });

/** One stage, sized: what the stacks and constructs are made from. `sizeStage` of `lib/capacity` makes it of a definition. */
export interface StageConfiguration {
  readonly name: string;
  readonly region: string;
  readonly availabilityZones: readonly string[];
  readonly workload: Workload;
  readonly policy: Policy;
  readonly size: StageSize;
  readonly alarms: AlarmThresholds;
  readonly protection: Policy['protection'];
  readonly logRetentionDays: Policy['retention']['logDays'];
  readonly contacts: Policy['contacts'];
  readonly email: Policy['email'];
  /** Dollars a month that the budget alarm goes by. */
  readonly monthlyBudgetDollars: number;
}
