import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  createClientAddressFinder,
  createRequestAddressFinder,
  UNKNOWN_ADDRESS,
} from '../../../../services/user-api/client-address/client-address.ts';

const CLIENT = '203.0.113.7';
const CLOUDFRONT = '10.0.7.12';
const LOAD_BALANCER = '10.0.1.5';

describe('createClientAddressFinder', () => {
  it('without trusted hops, takes the address of the socket, whatever the header says', () => {
    const find = createClientAddressFinder({ hops: 0 });
    expect(find(CLIENT, '192.0.2.1, 192.0.2.2')).toBe(CLIENT);
  });

  it('behind CloudFront and a load balancer, takes the address that CloudFront was called from', () => {
    const find = createClientAddressFinder({ hops: 2 });
    expect(find(LOAD_BALANCER, `${CLIENT}, ${CLOUDFRONT}`)).toBe(CLIENT);
  });

  it('whatever the client writes into the header, finds the same client', () => {
    const forged = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.constantFrom('', ',', ' , ', 'unknown', '10.0.0.1', '127.0.0.1', '_hidden', '[::1]:80'),
      fc.string(),
    );
    const trust = fc.constantFrom(
      { hops: 2 },
      { hops: 2, networks: ['10.0.0.0/16'] },
      { hops: 2, networks: ['2001:db8::/32', '10.0.0.0/16'] },
    );
    fc.assert(
      fc.property(
        trust,
        fc.ipV4(),
        fc.array(forged, { maxLength: 5 }),
        (trust, client, written) => {
          fc.pre(!client.startsWith('10.0.'));
          const header = [...written, client, CLOUDFRONT].join(', ');
          expect(createClientAddressFinder(trust)(LOAD_BALANCER, header)).toBe(client);
        },
      ),
    );
  });

  it('whatever comes, gives an address, a network, or that it is unknown, and never throws', () => {
    const find = createClientAddressFinder({ hops: 3, networks: ['0.0.0.0/0', '::/0'] });
    const entry = fc.oneof(fc.string(), fc.ipV4(), fc.ipV6());
    const header = fc.array(entry).map((entries) => entries.join(','));
    fc.assert(
      fc.property(entry, header, (socket, header) => {
        expect(find(socket, header)).toMatch(/^unknown$|^(\d+\.){3}\d+$|^([\da-f]+:){4}:\/64$/);
        expect(find(undefined, header)).toBe(UNKNOWN_ADDRESS);
      }),
    );
  });

  it.each([
    ['malformed', 'nonsense'],
    ['empty', ''],
    ['obfuscated', '_gazonk'],
    ['longer than any address', `${'1'.repeat(100)}.1.1.1`],
  ])(
    'when the entry that it wants is %s, takes the nearest hop that it believes',
    (_case, entry) => {
      const find = createClientAddressFinder({ hops: 2 });
      expect(find(LOAD_BALANCER, `198.51.100.9, ${entry}, ${CLOUDFRONT}`)).toBe(CLOUDFRONT);
    },
  );

  it('when the header is shorter than the hops, takes the entry that is furthest away', () => {
    const find = createClientAddressFinder({ hops: 2 });
    expect(find(LOAD_BALANCER, '10.0.3.3')).toBe('10.0.3.3');
    expect(find(LOAD_BALANCER, undefined)).toBe(LOAD_BALANCER);
  });

  it('with trusted networks, believes no hop that called from outside them', () => {
    const find = createClientAddressFinder({ hops: 2, networks: ['10.0.0.0/16'] });
    // Somebody who reaches the load balancer past CloudFront, and forges an entry.
    expect(find(LOAD_BALANCER, '198.51.100.1, 192.0.2.66')).toBe('192.0.2.66');
    // Somebody who reaches the process past the load balancer.
    expect(find('192.0.2.66', `${CLIENT}, ${CLOUDFRONT}`)).toBe('192.0.2.66');
  });

  it.each([
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['1::2:3:4:5:6:7', '1:0:2:3::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['[2001:db8:1:2::9]:443', '2001:db8:1:2::/64'],
    ['64:ff9b::192.0.2.33', '192.0.2.33'],
    ['64:ff9b::c000:221', '192.0.2.33'],
    ['64:ff9b:1::192.0.2.33', '192.0.2.33'],
    ['64:ff9b:1:2::192.0.2.33', '64:ff9b:1:2::/64'],
    ['64:ff9b:0:1::192.0.2.33', '64:ff9b:0:1::/64'],
    ['::ffff:0:192.0.2.33', '192.0.2.33'],
    ['2002:c000:221:5::1', '192.0.2.33'],
    ['2001:0:4136:e378:8000:63bf:3fff:fdde', '192.0.2.33'],
    ['2001:1::3fff:fdde', '2001:1:0:0::/64'],
    ['::ffff:203.0.113.7', CLIENT],
    ['::ffff:cb00:7107', CLIENT],
    ['203.0.113.7:51000', CLIENT],
  ])('for %s, gives %s', (entry, expected) => {
    expect(createClientAddressFinder({ hops: 1 })(LOAD_BALANCER, entry)).toBe(expected);
  });

  it('for all addresses of one IPv6 /64, gives one network; for those of two, two', () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    const half = fc.tuple(group, group, group, group);
    const text = (groups: readonly number[]) => groups.map((each) => each.toString(16)).join(':');
    const find = createClientAddressFinder({ hops: 0 });
    fc.assert(
      fc.property(half, half, half, half, (site, other, one, two) => {
        fc.pre(text(site) !== text(other) && site.some((each) => each > 0));
        expect(find(text([...site, ...one]), '')).toBe(find(text([...site, ...two]), ''));
        if (other.some((each) => each > 0)) {
          expect(find(text([...site, ...one]), '')).not.toBe(find(text([...other, ...one]), ''));
        }
      }),
    );
  });

  it.each(['10.0.0.0', '10.0.0.0/', '10.0.0.0/33', 'everyone', '10.0.0/8'])(
    'with %s for a network, throws and names it',
    (network) => {
      expect(() => createClientAddressFinder({ hops: 1, networks: [network] })).toThrow(
        `TRUSTED_PROXY_NETWORKS got "${network}"`,
      );
    },
  );
});

describe('createRequestAddressFinder', () => {
  it('for a request with several X-Forwarded-For lines, reads them as one list in their order', async () => {
    const find = createRequestAddressFinder({ hops: 2 });
    const server = createServer((incoming, outgoing) => outgoing.end(find(incoming)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const found = await new Promise<string>((resolve, reject) => {
      const outgoing = request({ port, host: '127.0.0.1' }, async (response) => {
        resolve(Buffer.concat(await response.toArray()).toString());
      });
      outgoing.setHeader('x-forwarded-for', ['198.51.100.1', `${CLIENT}, ${CLOUDFRONT}`]);
      outgoing.on('error', reject);
      outgoing.end();
    });
    expect(found).toBe(CLIENT);
  });
});
