import { describe, expect, it } from 'vitest';
import { isAddressedDirectly } from '../../../services/contracts/host-check.ts';

describe('A Host field', () => {
  it.each(['localhost', 'LOCALHOST:3000', '127.0.0.1', '10.0.0.7:9464', '[::1]', '[fd00::7]:80'])(
    'of %j, is allowed: nobody else can have that name resolve here',
    (host) => {
      expect(isAddressedDirectly(host)).toBe(true);
    },
  );

  it.each([
    undefined,
    '',
    'rebound.example',
    'localhost.rebound.example',
    '127.0.0.1.rebound.example:80',
    '127.0.0.1@rebound.example',
    'rebound.example@127.0.0.1',
    'rebound.example/@127.0.0.1',
    '127.0.0.1, rebound.example',
    '[::1',
    '::1',
  ])('of %j, is refused', (host) => {
    expect(isAddressedDirectly(host)).toBe(false);
  });
});
