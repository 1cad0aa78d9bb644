import fc from 'fast-check';

// By itself fast-check fills an array or a text of `maxLength: 200` with at most ten elements; with this, with up to 200. Never
// `baseSize: 'max'` in its place: an array without a `maxLength` then takes gigabytes.
fc.configureGlobal({ ...fc.readConfigureGlobal(), defaultSizeToMaxWhenMaxSpecified: true });
