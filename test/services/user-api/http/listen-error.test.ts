import { describe, expect, it } from 'vitest';
import {
  type ListenAddress,
  ListenError,
} from '../../../../services/user-api/http/listen-error.ts';

const address: ListenAddress = { host: '192.0.2.1', port: 81 };
const messageFor = (code: string, of: ListenAddress = address) =>
  new ListenError(of, Object.assign(new Error('it failed'), { code })).message;

describe('ListenError', () => {
  it.each([
    ['EADDRINUSE', 'Port 81 on 192.0.2.1 (PORT, HOST) is taken by another program.'],
    ['EACCES', 'Port 81 (PORT) may not be opened by this user. Set PORT to one from 1024 up.'],
    ['EADDRNOTAVAIL', '192.0.2.1 (HOST) is not an address of this machine. Set HOST to 127.0.0.1'],
    ['ENOTFOUND', '192.0.2.1 (HOST) is not an address of this machine.'],
    ['EOTHER', 'Cannot listen on 192.0.2.1, port 81 (HOST, PORT): it failed'],
  ])('for %s, says what to do', (code, message) => {
    expect(messageFor(code)).toContain(message);
  });

  it('names the variables that the address is from', () => {
    const other = { ...address, hostVariable: 'INTERNAL_HOST', portVariable: 'INTERNAL_PORT' };
    expect(messageFor('EADDRINUSE', other)).toContain('set INTERNAL_PORT to another port');
    expect(messageFor('ENOTFOUND', other)).toContain('Set INTERNAL_HOST to 127.0.0.1');
  });
});
