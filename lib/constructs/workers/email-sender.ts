import { CfnOutput, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as ses from 'aws-cdk-lib/aws-ses';
import { Construct } from 'constructs';
import type { StageConfiguration } from '../../config/stage.ts';

export interface EmailSenderProps {
  readonly stage: StageConfiguration;
}

/**
 * The domain that emails come from. SES sends nothing before the domain's DNS has the records that are put out here, and only to
 * verified addresses while the account is in SES's sandbox.
 */
export class EmailSender extends Construct {
  private readonly identity: ses.EmailIdentity;
  private readonly configurationSet: ses.ConfigurationSet;

  constructor(scope: Construct, id: string, props: EmailSenderProps) {
    super(scope, id);
    this.configurationSet = new ses.ConfigurationSet(this, 'ConfigurationSet', {
      tlsPolicy: ses.ConfigurationSetTlsPolicy.REQUIRE,
      reputationMetrics: true,
      suppressionReasons: ses.SuppressionReasons.BOUNCES_AND_COMPLAINTS,
    });
    this.identity = new ses.EmailIdentity(this, 'Identity', {
      identity: ses.Identity.domain(props.stage.email.domain),
      configurationSet: this.configurationSet,
    });
    for (const [index, record] of this.identity.dkimRecords.entries()) {
      new CfnOutput(this, `DkimRecord${index + 1}`, {
        description: 'CNAME record that lets SES sign emails of the domain: name, then value',
        value: `${record.name} ${record.value}`,
      });
    }
  }

  /** Lets `grantee` send from the domain, under the rules of its configuration set. */
  grantSend(grantee: iam.IGrantable): void {
    iam.Grant.addToPrincipal({
      grantee,
      // The second is what SES asks for when a message is composed by the sender.
      actions: ['ses:SendEmail', 'ses:SendRawEmail'],
      resourceArns: [
        this.identity.emailIdentityArn,
        Stack.of(this).formatArn({
          service: 'ses',
          resource: 'configuration-set',
          resourceName: this.configurationSet.configurationSetName,
        }),
      ],
    });
  }
}
