package roster.eureka;

import com.netflix.appinfo.InstanceInfo;
import com.netflix.appinfo.MyDataCenterInstanceConfig;
import com.netflix.appinfo.providers.EurekaConfigBasedInstanceInfoProvider;
import java.util.Map;

/** An application's description of itself. */
final class Self extends MyDataCenterInstanceConfig {
  /** A lease that ends soon after the last heartbeat, of which there is one a second; a busy machine misses some. */
  static final int LEASE_S = 6;
  private final String app;
  private final String ip;
  private final int leaseS;
  Map<String, String> metadata = Map.of();

  Self(String app, String ip) {
    this(app, ip, LEASE_S);
  }

  Self(String app, String ip, int leaseS) {
    this.app = app;
    this.ip = ip;
    this.leaseS = leaseS;
  }

  /** Without heartbeats it stays for as long as a case lasts: the first one would come later. */
  static Self withoutHeartbeats(String app, String ip) {
    return new Self(app, ip, 90);
  }

  InstanceInfo info() {
    return new EurekaConfigBasedInstanceInfoProvider(this).get();
  }

  @Override
  public String getAppname() {
    return app;
  }

  @Override
  public String getAppGroupName() {
    return "group-of-" + app;
  }

  @Override
  public String getInstanceId() {
    return ip + ":" + app + ":8080";
  }

  @Override
  public String getIpAddress() {
    return ip;
  }

  @Override
  public String getHostName(boolean refresh) {
    return "host-of-" + ip;
  }

  @Override
  public int getNonSecurePort() {
    return 8080;
  }

  @Override
  public int getSecurePort() {
    return 8443;
  }

  @Override
  public boolean getSecurePortEnabled() {
    return true;
  }

  @Override
  public String getVirtualHostName() {
    return "vip-of-" + app;
  }

  @Override
  public String getSecureVirtualHostName() {
    return "svip-of-" + app;
  }

  @Override
  public boolean isInstanceEnabledOnit() {
    return true;
  }

  @Override
  public int getLeaseRenewalIntervalInSeconds() {
    return leaseS / LEASE_S;
  }

  @Override
  public int getLeaseExpirationDurationInSeconds() {
    return leaseS;
  }

  @Override
  public Map<String, String> getMetadataMap() {
    return metadata;
  }
}
