"""The look of a table of numbers with a name in front of each row: class `vz-areas`."""

from __future__ import annotations

STYLE = """
<style>
  .vz-areas { border-collapse: collapse; width: 100%; max-width: 52rem; font-size: 1rem;
               font-variant-numeric: tabular-nums; }
  .vz-areas :is(th, td) { padding: .28rem .4rem; text-align: right; border: 0; white-space: nowrap;
                          border-bottom: 1px solid color-mix(in srgb, currentColor 14%, transparent); }
  .vz-areas :is(th, td):first-child { text-align: left; white-space: normal; padding-left: 0; }
  .vz-areas th { font-weight: 400; font-size: .82rem; opacity: .8; vertical-align: bottom; white-space: normal; }
  .vz-areas i { display: inline-block; width: 1.5rem; border-top: .2rem solid; margin-right: .7rem;
                vertical-align: middle; }
  .vz-areas small { opacity: .7; font-size: .8rem; }
  @media (max-width: 640px) {
    .vz-areas { font-size: .9rem; } .vz-areas small { display: block; font-size: .75rem; }
    .vz-areas i { width: 1rem; margin-right: .4rem; }
    .vz-areas :is(th, td):not(:first-child) { padding-left: .1rem; }
  }
</style>
"""
