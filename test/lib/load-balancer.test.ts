import { describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { services } from '../../lib/config/services.ts';
import { timeouts } from '../../lib/config/timeouts.ts';
import { stages } from './support/stages.ts';
import { readTemplates, resourcesOf } from './support/templates.ts';
import { choices } from './support/variants.ts';

const stacks = readTemplates(inject('cloudAssembly'));
const variants = readTemplates(inject('variantAssembly'));
const resources = (type: string) => resourcesOf(stacks, type);
const attributes = z.array(z.object({ Key: z.string(), Value: z.unknown() }));
const attributesOf = (value: unknown) =>
  Object.fromEntries(attributes.parse(value).map(({ Key, Value }) => [Key, Value]));

describe('the load balancer', () => {
  it.each(resources('AWS::ElasticLoadBalancingV2::LoadBalancer'))(
    '$place, refuses what is ambiguous, logs, and waits as long as the chain of timeouts says',
    ({ stack, Properties }) => {
      const { protection } = stages.find(({ name }) => name === stack.stage) ?? {};
      expect(attributesOf(Properties.LoadBalancerAttributes)).toMatchObject({
        'routing.http.desync_mitigation_mode': 'strictest',
        'routing.http.drop_invalid_header_fields.enabled': 'true',
        'access_logs.s3.enabled': 'true',
        'access_logs.s3.bucket': expect.anything(),
        'idle_timeout.timeout_seconds': String(timeouts.loadBalancerIdle),
        'deletion_protection.enabled': String(protection === 'protected'),
      });
    },
  );

  it.each(resources('AWS::ElasticLoadBalancingV2::TargetGroup'))(
    '$place, sends to the task with the fewest requests, if it is ready',
    ({ Properties }) => {
      const [service] = services;
      expect(attributesOf(Properties.TargetGroupAttributes)).toMatchObject({
        'load_balancing.algorithm.type': 'least_outstanding_requests',
        'deregistration_delay.timeout_seconds': String(timeouts.deregistrationDelay),
      });
      expect(Properties).toMatchObject({
        HealthCheckPath: service?.readinessPath,
        HealthCheckIntervalSeconds: timeouts.healthCheckInterval,
        UnhealthyThresholdCount: timeouts.healthCheckFailures,
        TargetType: 'ip',
      });
    },
  );

  it('in every stage, answers paths of no service with a problem’s words, not with HTML', () => {
    const listeners = resources('AWS::ElasticLoadBalancingV2::Listener');
    expect(listeners).toHaveLength(stages.length);
    for (const { place, Properties } of listeners) {
      expect(Properties.DefaultActions, place).toEqual([
        {
          Type: 'fixed-response',
          FixedResponseConfig: {
            StatusCode: '404',
            ContentType: 'application/json',
            MessageBody: '{"type":"about:blank","title":"Not Found","status":404}',
          },
        },
      ]);
    }
  });
});

describe('a service', () => {
  it('in every stage, is spread over the zones again after one was gone', () => {
    for (const { place, Properties } of resources('AWS::ECS::Service')) {
      expect(Properties.AvailabilityZoneRebalancing, place).toBe('ENABLED');
      expect(Properties.HealthCheckGracePeriodSeconds, place).toBeGreaterThan(0);
    }
  });

  it('in every stage, is scaled out soon and in slowly', () => {
    const policies = resources('AWS::ApplicationAutoScaling::ScalingPolicy').filter(
      ({ stack }) => stack.part === 'api',
    );
    const tracking = policies.flatMap(({ place, stack, Properties }) => {
      const settings = Properties.TargetTrackingScalingPolicyConfiguration;
      return settings === undefined ? [] : [{ place, stack, settings: Object(settings) }];
    });
    expect(tracking.length).toBeGreaterThanOrEqual(stages.length);
    for (const { place, stack, settings } of tracking) {
      const stage = stages.find(({ name }) => name === stack.stage);
      expect(settings, place).toMatchObject({
        ScaleOutCooldown: 60,
        ScaleInCooldown: 300,
      });
      // Where there are steps, the step in takes tasks away.
      expect(settings.DisableScaleIn ?? false, place).toBe(stage?.size.service.stepScaling);
    }
  });

  it('of a stage that asks for Spot capacity, has its share there beyond the least', () => {
    const [service] = resourcesOf(
      variants.filter(({ stage }) => stage === 'choices'),
      'AWS::ECS::Service',
    );
    const { spotPercent } = choices.policy;
    expect(service?.Properties.CapacityProviderStrategy).toMatchObject([
      { CapacityProvider: 'FARGATE', Weight: 100 - spotPercent, Base: expect.any(Number) },
      { CapacityProvider: 'FARGATE_SPOT', Weight: spotPercent },
    ]);
  });
});
