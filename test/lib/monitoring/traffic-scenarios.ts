import { always, type Data, lately, nothing, ordinary, type Scenario } from './courses.ts';

const nobody: Data = Object.fromEntries(Object.keys(ordinary).map((name) => [name, nothing]));
const api = (name: string) => `api/Service-user-api/${name}`;
const burning = (name: string) => [
  `api/Ingress/${name}`,
  `api/Ingress/${name}/LongWindow`,
  `api/Ingress/${name}/ShortWindow`,
];
const apiPage = 'observability/Page-api';

/** Of what users feel: how many ask, how soon they are answered, and with what. */
export const trafficScenarios: readonly Scenario[] = [
  { name: 'an ordinary noon', data: ordinary, alarms: [] },
  {
    name: 'a quiet night, in which one of two requests of a minute fails',
    data: {
      ...ordinary,
      'AWS/ApplicationELB RequestCount': (ago) => (ago % 60 === 0 ? 2 : undefined),
      'AWS/ApplicationELB HTTPCode_Target_5XX_Count': lately(1, 1, undefined),
      'AWS/ApplicationELB TargetResponseTime': (ago) => (ago % 60 === 0 ? 0.05 : undefined),
      'AWS/CloudFront Requests': (ago) => (ago % 60 === 0 ? 2 : undefined),
      'AWS/CloudFront 5xxErrorRate': lately(1, 50, undefined),
      'AWS/SQS ApproximateAgeOfOldestMessage': nothing,
      'AWS/Lambda ConcurrentExecutions': nothing,
      'AWS/Lambda Errors': nothing,
      'AWS/Lambda Throttles': nothing,
    },
    alarms: [],
  },
  {
    name: 'one error in three requests, and no more',
    data: {
      ...ordinary,
      'AWS/ApplicationELB RequestCount': lately(1, 3, undefined),
      'AWS/ApplicationELB HTTPCode_Target_5XX_Count': lately(1, 1, undefined),
      'AWS/CloudFront Requests': lately(1, 3, undefined),
      'AWS/CloudFront 5xxErrorRate': lately(1, 33.3, undefined),
    },
    alarms: [],
  },
  {
    name: 'one error in three requests, all of a day in which there are few',
    data: {
      ...ordinary,
      'AWS/ApplicationELB RequestCount': always(3),
      'AWS/ApplicationELB HTTPCode_Target_5XX_Count': always(1),
      'AWS/CloudFront Requests': always(3),
      'AWS/CloudFront 5xxErrorRate': always(33.3),
    },
    // Too few in any minute, and in five; not in half an hour, where it is no accident any more.
    alarms: [
      'api/Ingress/FastBurn/LongWindow',
      'api/Ingress/SlowBurn/LongWindow',
      'api/Ingress/LastingBurn/LongWindow',
      'api/Ingress/LastingBurn/ShortWindow',
      'api/Ingress/LastingBurn',
    ],
  },
  {
    name: 'one error in three of a hundred requests a minute, for two minutes',
    data: {
      ...ordinary,
      'AWS/ApplicationELB RequestCount': always(100),
      'AWS/ApplicationELB HTTPCode_Target_5XX_Count': lately(2, 33, undefined),
    },
    // Not yet the error rate's five minutes, but a deployment is rolled back. 66 failures are 0.55 % of two hours, and 1.1 % of one.
    alarms: [
      api('DeploymentErrors'),
      'api/Ingress/LastingBurn/ShortWindow',
      'api/Ingress/FastBurn/ShortWindow',
      'api/Ingress/SlowBurn/ShortWindow',
    ],
  },
  {
    name: 'a spike: ten times the load for four minutes, and a second of latency at its height',
    data: {
      ...ordinary,
      'AWS/ApplicationELB RequestCount': lately(4, 600_000, 60_000),
      'AWS/ApplicationELB HTTPCode_Target_5XX_Count': lately(1, 5_000, undefined),
      'AWS/ApplicationELB TargetResponseTime': lately(4, 1.2, 0.04),
      'AWS/ECS CPUUtilization': lately(4, 97, 60),
      'ECS/ContainerInsights DesiredTaskCount': lately(3, 18, 6),
      'AWS/CloudFront Requests': lately(4, 800_000, 80_000),
      'AWS/RDS CPUUtilization WRITER': lately(4, 85, 30),
    },
    alarms: [],
  },
  {
    name: 'an outage: no healthy task for ten minutes',
    data: {
      ...ordinary,
      // The load balancer counts a request when it has found a target for it.
      'AWS/ApplicationELB RequestCount': lately(10, undefined, 60_000),
      'AWS/ApplicationELB HTTPCode_ELB_5XX_Count': lately(10, 60_000, undefined),
      'AWS/ApplicationELB TargetResponseTime': lately(10, undefined, 0.04),
      'AWS/ApplicationELB HealthyHostCount': lately(10, 0, 6),
      'AWS/ApplicationELB UnHealthyHostCount': lately(10, 6, 0),
      'AWS/CloudFront 5xxErrorRate': lately(10, 75, 0),
    },
    alarms: [
      'api/Ingress/ErrorRate',
      ...burning('FastBurn'),
      ...burning('SlowBurn'),
      ...burning('LastingBurn'),
      api('NoHealthyTasks'),
      api('UnhealthyTasks'),
      'edge/Delivery/ErrorRate',
      'edge/Page',
      apiPage,
    ],
  },
  {
    name: 'ten minutes after that outage',
    data: {
      ...ordinary,
      'AWS/ApplicationELB RequestCount': (ago) => (ago >= 10 && ago < 20 ? undefined : 60_000),
      'AWS/ApplicationELB HTTPCode_ELB_5XX_Count': (ago) =>
        ago >= 10 && ago < 20 ? 60_000 : undefined,
    },
    // The fast window of five minutes is clean again; the others have not forgotten.
    alarms: [
      'api/Ingress/FastBurn/LongWindow',
      ...burning('SlowBurn'),
      ...burning('LastingBurn'),
      apiPage,
    ],
  },
  {
    name: 'nothing running at all: no metric of anything',
    data: nobody,
    alarms: [api('NoHealthyTasks'), apiPage],
  },
  {
    name: 'one request in fifty failing for two days',
    data: { ...ordinary, 'AWS/ApplicationELB HTTPCode_Target_5XX_Count': always(1_200) },
    alarms: [...burning('FastBurn'), ...burning('SlowBurn'), ...burning('LastingBurn'), apiPage],
  },
  {
    name: 'one request in two hundred failing for two days',
    data: { ...ordinary, 'AWS/ApplicationELB HTTPCode_Target_5XX_Count': always(300) },
    // Five times the budget: too slow for a page, too much for a month.
    alarms: [...burning('LastingBurn')],
  },
  {
    name: 'answers in one and a half seconds, for five minutes',
    data: { ...ordinary, 'AWS/ApplicationELB TargetResponseTime': lately(5, 1.5, 0.04) },
    alarms: [api('Latency'), apiPage],
  },
  {
    name: 'answers in half a second',
    data: { ...ordinary, 'AWS/ApplicationELB TargetResponseTime': always(0.5) },
    alarms: [],
  },
  {
    name: 'more load than all tasks can carry, for a quarter of an hour',
    data: {
      ...ordinary,
      'AWS/ECS CPUUtilization': lately(15, 95, 60),
      'AWS/ECS MemoryUtilization': lately(15, 90, 45),
      'ECS/ContainerInsights DesiredTaskCount': always(10_000),
      'AWS/ApplicationELB RejectedConnectionCount': (ago) =>
        ago < 5 && ago % 2 === 0 ? 40 : undefined,
      'AWS/ApplicationELB TargetResponseTime': lately(15, 2.5, 0.04),
    },
    alarms: [
      api('AtMaximum'),
      api('Cpu'),
      api('Memory'),
      api('Latency'),
      api('TailLatency'),
      'api/Ingress/RejectedConnections',
      apiPage,
    ],
  },
];
