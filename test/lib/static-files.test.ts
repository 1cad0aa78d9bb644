import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { API_REFERENCE, readPublication } from '../../lib/config/static-files.ts';
import { stages } from './support/stages.ts';
import { repositoryRoot } from './support/synthesise.ts';
import { readTemplates, resourcesOf } from './support/templates.ts';

const assembly = inject('cloudAssembly');
const edges = readTemplates(assembly).filter(({ part }) => part === 'edge');
const { contentSecurityPolicy, files } = readPublication(repositoryRoot, API_REFERENCE);

const assetManifest = z.object({
  files: z.record(
    z.string(),
    z.object({
      source: z.object({ path: z.string() }),
      destinations: z.record(z.string(), z.object({ objectKey: z.string() })),
    }),
  ),
});

/** By the key that an asset is uploaded under, the file in the assembly. */
function assetsOf(stack: string): ReadonlyMap<string, string> {
  const text = readFileSync(join(assembly, `${stack}.assets.json`), 'utf8');
  return new Map(
    Object.values(assetManifest.parse(JSON.parse(text)).files).flatMap(({ source, destinations }) =>
      Object.values(destinations).map(({ objectKey }) => [objectKey, join(assembly, source.path)]),
    ),
  );
}

/** The calls to S3 of that resource type, by what they write. */
function calls(stack: (typeof edges)[number], type: string) {
  return new Map(
    resourcesOf([stack], type).map(({ Properties }) => {
      const text = JSON.stringify(Properties.Create);
      return [/\\"Key\\":\\"([^"\\]+)\\"/.exec(text)?.[1] ?? '', text] as const;
    }),
  );
}

const distribution = z.looseObject({
  DistributionConfig: z.looseObject({
    DefaultRootObject: z.string(),
    DefaultCacheBehavior: z.looseObject({ TargetOriginId: z.string() }),
    CacheBehaviors: z.array(
      z.looseObject({
        PathPattern: z.string(),
        TargetOriginId: z.string(),
        ResponseHeadersPolicyId: z.object({ Ref: z.string() }),
      }),
    ),
    Origins: z.array(
      z.looseObject({ Id: z.string(), OriginAccessControlId: z.unknown().optional() }),
    ),
  }),
});

describe('the static files', () => {
  it('of the API reference, are its page, its document, and whatever the page asks for', () => {
    const paths = files.map(({ path }) => path);
    expect(edges).toHaveLength(stages.length);
    expect(paths).toEqual(expect.arrayContaining(['/index.html', '/docs', '/openapi.json']));
    const page = readFileSync(join(repositoryRoot, 'docs/reference/docs.html'), 'utf8');
    const asked = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path);
    expect(asked.length).toBeGreaterThan(3);
    expect(asked.filter((path) => !paths.some((one) => one === path))).toEqual([]);
  });

  it.each(edges)('in $name, are copied from assets with the same content', (stack) => {
    const assets = assetsOf(stack.name);
    const written = calls(stack, 'Custom::StaticFile');
    expect([...written.keys()].sort()).toEqual(files.map(({ path }) => path.slice(1)).sort());
    for (const { path, source, mediaType, cacheControl } of files) {
      const call = written.get(path.slice(1)) ?? '';
      expect(call, path).toContain(`\\"ContentType\\":\\"${mediaType}\\"`);
      expect(call, path).toContain(`\\"CacheControl\\":\\"${cacheControl}\\"`);
      expect(call, path).toContain('\\"MetadataDirective\\":\\"REPLACE\\"');
      const key = /\/([0-9a-f]{64}\.\w+)/.exec(call)?.[1] ?? '';
      const staged = assets.get(key);
      expect(staged, path).toBeDefined();
      if (staged === undefined) continue;
      const original = readFileSync(join(repositoryRoot, source));
      expect(readFileSync(staged).equals(original), path).toBe(true);
    }
  });

  it.each(edges)('in $name, may be kept for a while, but not for ever', (stack) => {
    for (const call of calls(stack, 'Custom::StaticFile').values()) {
      const seconds = Number(/max-age=(\d+)/.exec(call)?.[1]);
      expect(seconds).toBeGreaterThanOrEqual(300);
      expect(seconds).toBeLessThanOrEqual(3_600);
    }
  });

  it.each(edges)('in $name, come out of the private bucket, with a policy for pages', (stack) => {
    const [resource] = resourcesOf([stack], 'AWS::CloudFront::Distribution');
    const { DistributionConfig: config } = distribution.parse(resource?.Properties);
    expect(config.DefaultRootObject).toBe('index.html');
    const [behavior] = config.CacheBehaviors.filter(({ PathPattern }) => PathPattern === '/docs*');
    expect(behavior?.TargetOriginId).toBe(config.DefaultCacheBehavior.TargetOriginId);
    const origin = config.Origins.find(({ Id }) => Id === behavior?.TargetOriginId);
    expect(origin?.OriginAccessControlId).toBeDefined();
    const headers = stack.template.Resources[behavior?.ResponseHeadersPolicyId.Ref ?? ''];
    expect(JSON.stringify(headers?.Properties)).toContain(
      JSON.stringify({ ContentSecurityPolicy: contentSecurityPolicy, Override: false }),
    );
  });

  it('in a list with a mistake, are refused with what it takes', () => {
    const list = 'test/lib/support/wrong-files.json';
    expect(() => readPublication(repositoryRoot, list)).toThrow(
      `${list}: There is no key in it "contentSecurtyPolicy". Did you mean "contentSecurityPolicy"?`,
    );
  });
});
