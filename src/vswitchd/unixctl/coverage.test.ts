import { expect, it, vi } from 'vitest';
import { FakeSwitchView } from '../../../test/support/fake-switch-view.ts';
import { CoverageRates } from './coverage.ts';

it('tells how fast counts grow over seconds, a minute and an hour', () => {
  vi.useFakeTimers();
  const view = new FakeSwitchView();
  const rates = new CoverageRates(view);
  const line = (): string | undefined =>
    rates
      .show()
      .split('\n')
      .find((text) => text.startsWith('mac_learning_learned'));
  try {
    view.bridge.macs.counters.learned = 600;
    expect(line()).toBe('mac_learning_learned     120.0/sec    10.000/sec        0.1667/sec   total: 600');
    vi.advanceTimersByTime(5000);
    expect(line()).toBe('mac_learning_learned       0.0/sec    10.000/sec        0.1667/sec   total: 600');
    vi.advanceTimersByTime(60_000);
    expect(line()).toBe('mac_learning_learned       0.0/sec     0.000/sec        0.1667/sec   total: 600');
    vi.advanceTimersByTime(3_600_000);
    expect(line()).toBe('mac_learning_learned       0.0/sec     0.000/sec        0.0000/sec   total: 600');
  } finally {
    rates.close();
    vi.useRealTimers();
  }
});
