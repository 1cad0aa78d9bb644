import { Duration } from 'aws-cdk-lib';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import type { Construct } from 'constructs';

/** Longest that a response of a service is kept at the edge, whatever its Cache-Control says, in seconds: as long as its pages say. */
const LONGEST_API_CACHE_SECONDS = 3_600;
/** Two years, as the list of sites that browsers preload asks for. */
const STRICT_TRANSPORT_SECONDS = 63_072_000;

/**
 * Caches what the service's Cache-Control allows, for as long as it says, and nothing that says nothing.
 *
 * What is asked for with credentials is never answered from the cache to somebody else, for three reasons of which each suffices. The
 * service says `private` or `no-store` there, and with a least time of 0 CloudFront obeys. The headers that credentials come in are part
 * of the key. Cookies don't reach the service at all (see {@link serviceRequestPolicy}), so that no response can depend on one.
 *
 * `Origin` is part of the key, because the response names the origin that may read it.
 */
export function serviceCachePolicy(scope: Construct): cloudfront.CachePolicy {
  return new cloudfront.CachePolicy(scope, 'ApiCachePolicy', {
    comment: 'As long as Cache-Control says',
    minTtl: Duration.seconds(0),
    defaultTtl: Duration.seconds(0),
    maxTtl: Duration.seconds(LONGEST_API_CACHE_SECONDS),
    queryStringBehavior: cloudfront.CacheQueryStringBehavior.all(),
    headerBehavior: cloudfront.CacheHeaderBehavior.allowList(
      'Authorization',
      'X-API-Key',
      'Origin',
    ),
    cookieBehavior: cloudfront.CacheCookieBehavior.none(),
    enableAcceptEncodingGzip: true,
    enableAcceptEncodingBrotli: true,
  });
}

/** Everything that the client sends, but its cookies: the services take credentials in headers, and a cookie must not become one. */
export function serviceRequestPolicy(scope: Construct): cloudfront.OriginRequestPolicy {
  return new cloudfront.OriginRequestPolicy(scope, 'ApiRequestPolicy', {
    comment: 'All headers and queries, no cookies',
    headerBehavior: cloudfront.OriginRequestHeaderBehavior.all(),
    queryStringBehavior: cloudfront.OriginRequestQueryStringBehavior.all(),
    cookieBehavior: cloudfront.OriginRequestCookieBehavior.none(),
  });
}

/** Where a service's answer says nothing else: nothing but what comes from here. */
const DEFAULT_CONTENT_SECURITY_POLICY =
  "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'";

/**
 * What browsers are told in every response. A page may bring a content policy of its own; the others are not for it to weaken. A page
 * out of a bucket brings no header, so its policy is given here.
 */
export function securityHeaders(
  scope: Construct,
  id: string,
  contentSecurityPolicy: string = DEFAULT_CONTENT_SECURITY_POLICY,
): cloudfront.ResponseHeadersPolicy {
  return new cloudfront.ResponseHeadersPolicy(scope, id, {
    comment: 'Security headers',
    securityHeadersBehavior: {
      strictTransportSecurity: {
        accessControlMaxAge: Duration.seconds(STRICT_TRANSPORT_SECONDS),
        includeSubdomains: true,
        override: true,
      },
      contentTypeOptions: { override: true },
      frameOptions: { frameOption: cloudfront.HeadersFrameOption.DENY, override: true },
      referrerPolicy: {
        referrerPolicy: cloudfront.HeadersReferrerPolicy.NO_REFERRER,
        override: true,
      },
      contentSecurityPolicy: { contentSecurityPolicy, override: false },
    },
  });
}
