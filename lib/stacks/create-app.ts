import { App, type AppProps } from 'aws-cdk-lib';

/**
 * An empty app, to be synthesised when it is told to.
 *
 * @param props - where it differs, such as its folder.
 */
export function createApp(props: AppProps = {}): App {
  // Metadata about the CDK's version would change every template with each upgrade.
  return new App({ analyticsReporting: false, autoSynth: false, ...props });
}
