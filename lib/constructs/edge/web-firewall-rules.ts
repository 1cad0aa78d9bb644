import type * as wafv2 from 'aws-cdk-lib/aws-wafv2';
import { type FirewallProblemName, firewallProblems } from './edge-problems.ts';

/** Window of the rate limits, in seconds: the stage's figures count the requests in it. */
const RATE_WINDOW_SECONDS = 300;
/** Largest body that the user API reads (REQUEST_BODY_LIMIT_BYTES); also the most that the firewall can look into. */
export const BODY_LIMIT_BYTES = 65_536;

/**
 * Requests that guess or mail: logins, passwords, signing up. Of every version of the API, and of none, as the newest answers without;
 * after decoding, normalising and lower-casing the path, so that no spelling of it goes round the limit.
 */
export const LOGIN_PATH_PATTERN =
  '^/api/(v[0-9]+/)?(auth/(login|password|password-resets(/confirm)?)|users?)/?$';

/**
 * AWS's own groups of rules, in order, and their rules by name, so that each block can be answered with a problem: what is not
 * listed, such as a rule that AWS adds, keeps its own action, which is to block with an empty answer
 * (https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html and the pages beside it).
 */
export const managedRuleGroups: Readonly<Record<string, readonly string[]>> = {
  AWSManagedRulesAmazonIpReputationList: [
    'AWSManagedIPReputationList',
    'AWSManagedReconnaissanceList',
    // AWS's action for this one is to count.
    'AWSManagedIPDDoSList',
  ],
  AWSManagedRulesCommonRuleSet: [
    'NoUserAgent_HEADER',
    'UserAgent_BadBots_HEADER',
    'SizeRestrictions_QUERYSTRING',
    'SizeRestrictions_Cookie_HEADER',
    'SizeRestrictions_URIPATH',
    'EC2MetaDataSSRF_BODY',
    'EC2MetaDataSSRF_COOKIE',
    'EC2MetaDataSSRF_URIPATH',
    'EC2MetaDataSSRF_QUERYARGUMENTS',
    'GenericLFI_QUERYARGUMENTS',
    'GenericLFI_URIPATH',
    'GenericLFI_BODY',
    'RestrictedExtensions_URIPATH',
    'RestrictedExtensions_QUERYARGUMENTS',
    'GenericRFI_QUERYARGUMENTS',
    'GenericRFI_BODY',
    'GenericRFI_URIPATH',
    'CrossSiteScripting_COOKIE',
    'CrossSiteScripting_QUERYARGUMENTS',
    'CrossSiteScripting_BODY',
    'CrossSiteScripting_URIPATH',
  ],
  AWSManagedRulesKnownBadInputsRuleSet: [
    'JavaDeserializationRCE_HEADER',
    'JavaDeserializationRCE_BODY',
    'JavaDeserializationRCE_URIPATH',
    'JavaDeserializationRCE_QUERYSTRING',
    'Host_localhost_HEADER',
    'PROPFIND_METHOD',
    'ExploitablePaths_URIPATH',
    'Log4JRCE_HEADER',
    'Log4JRCE_QUERYSTRING',
    'Log4JRCE_BODY',
    'Log4JRCE_URIPATH',
  ],
  AWSManagedRulesSQLiRuleSet: [
    'SQLi_QUERYARGUMENTS',
    'SQLiExtendedPatterns_QUERYARGUMENTS',
    'SQLi_BODY',
    'SQLiExtendedPatterns_BODY',
    'SQLi_COOKIE',
  ],
};

/** Blocks from 8 KiB on, where the API takes 64: the rule BodySize blocks in its place, from there on, and says 413 as the API does. */
const REPLACED_RULE = {
  group: 'AWSManagedRulesCommonRuleSet',
  rule: 'SizeRestrictions_BODY',
} as const;

function visibility(metricName: string): wafv2.CfnWebACL.VisibilityConfigProperty {
  return { cloudWatchMetricsEnabled: true, sampledRequestsEnabled: true, metricName };
}

function block(problem: FirewallProblemName): wafv2.CfnWebACL.RuleActionProperty {
  const retryAfter = { name: 'Retry-After', value: String(RATE_WINDOW_SECONDS) };
  return {
    block: {
      customResponse: {
        responseCode: firewallProblems[problem].status,
        customResponseBodyKey: problem,
        ...(problem === 'tooManyRequests' ? { responseHeaders: [retryAfter] } : {}),
      },
    },
  };
}

function rateLimit(
  limit: number,
  scopeDownStatement?: wafv2.CfnWebACL.StatementProperty,
): wafv2.CfnWebACL.StatementProperty {
  return {
    rateBasedStatement: {
      aggregateKeyType: 'IP',
      limit,
      evaluationWindowSec: RATE_WINDOW_SECONDS,
      ...(scopeDownStatement === undefined ? {} : { scopeDownStatement }),
    },
  };
}

const asWritten = [{ priority: 0, type: 'NONE' }];

const methodIs = (method: string): wafv2.CfnWebACL.StatementProperty => ({
  byteMatchStatement: {
    fieldToMatch: { method: {} },
    positionalConstraint: 'EXACTLY',
    searchString: method,
    textTransformations: asWritten,
  },
});

const logins: wafv2.CfnWebACL.StatementProperty = {
  andStatement: {
    statements: [
      { orStatement: { statements: [methodIs('POST'), methodIs('PUT')] } },
      {
        regexMatchStatement: {
          fieldToMatch: { uriPath: {} },
          regexString: LOGIN_PATH_PATTERN,
          textTransformations: [
            { priority: 0, type: 'URL_DECODE' },
            { priority: 1, type: 'NORMALIZE_PATH' },
            { priority: 2, type: 'LOWERCASE' },
          ],
        },
      },
    ],
  },
};

function managedGroup(name: string, rules: readonly string[]): wafv2.CfnWebACL.StatementProperty {
  return {
    managedRuleGroupStatement: {
      vendorName: 'AWS',
      name,
      ruleActionOverrides: [
        ...rules.map((rule) => ({ name: rule, actionToUse: block('refused') })),
        ...(name === REPLACED_RULE.group
          ? [{ name: REPLACED_RULE.rule, actionToUse: { count: {} } }]
          : []),
      ],
    },
  };
}

export interface FirewallLimits {
  /** Requests of an address in 5 minutes. */
  readonly requestsPerAddress: number;
  /** Logins and the like of an address in 5 minutes. */
  readonly loginsPerAddress: number;
}

/** The rules in the order in which they are tried; each blocks, with a problem for a response. */
export function firewallRules(limits: FirewallLimits): wafv2.CfnWebACL.RuleProperty[] {
  const own = [
    {
      name: 'RequestsPerAddress',
      action: block('tooManyRequests'),
      statement: rateLimit(limits.requestsPerAddress),
    },
    {
      name: 'LoginsPerAddress',
      action: block('tooManyRequests'),
      statement: rateLimit(limits.loginsPerAddress, logins),
    },
    {
      name: 'BodySize',
      action: block('contentTooLarge'),
      statement: {
        sizeConstraintStatement: {
          comparisonOperator: 'GT',
          size: BODY_LIMIT_BYTES,
          // Beyond what can be looked into, a body is too large as well.
          fieldToMatch: { body: { oversizeHandling: 'MATCH' } },
          textTransformations: asWritten,
        },
      },
    },
  ];
  const managed = Object.entries(managedRuleGroups).map(([name, rules]) => ({
    name,
    // `none` leaves each rule its action; `count` would switch the group off.
    overrideAction: { none: {} },
    statement: managedGroup(name, rules),
  }));
  return [...own, ...managed].map((rule, priority) => ({
    ...rule,
    priority,
    visibilityConfig: visibility(rule.name),
  }));
}
