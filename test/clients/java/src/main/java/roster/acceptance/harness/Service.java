package roster.acceptance.harness;

import com.alipay.sofa.registry.client.api.registration.BaseRegistration;

/** The name of a service. A null group or instance is left to the client's defaults. */
public record Service(String dataId, String group, String instanceId) {
  public static Service of(String dataId) {
    return new Service(dataId, null, null);
  }

  <R extends BaseRegistration> R in(R registration) {
    registration.setGroup(group);
    registration.setInstanceId(instanceId);
    return registration;
  }
}
