#include "gitsync/trust.hpp"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "core/handle.hpp"

namespace skep::gitsync {
namespace {

using CertificateHandle = Handle<X509, X509_free>;

CertificateHandle read_certificate(std::string_view der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  return CertificateHandle(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
}

std::string ssh_keyscan(const RemoteUrl& url) {
  return "ssh-keyscan " + (url.port() == 22 ? "" : "-p " + std::to_string(url.port()) + " ") +
         url.host();
}

std::string place(const RemoteUrl& url) {
  return url.host() + (url.port() == 22 ? "" : ":" + std::to_string(url.port()));
}

}  // namespace

std::optional<Error> check_host_key(const RemoteUrl& url,
                                    const Credentials& credentials,
                                    const HostKey& key) {
  const auto shown = (key.type.empty() ? "" : key.type + " ") + fingerprint(key);
  const auto refuse = [](std::string why) {
    return Error{ErrorKind::unauthorized, std::move(why)};
  };
  const auto verdict = look_up(credentials.known_hosts, url.host(), url.port(), key);
  if (verdict == HostKeyVerdict::revoked)
    return refuse("the host key of " + place(url) + " (" + shown + ") is marked @revoked");
  if (verdict == HostKeyVerdict::known || is_pinned(credentials.host_key_fingerprints, key))
    return std::nullopt;
  const std::string compare =
      "compare this fingerprint with the one that the git host publishes; if they are equal, ";
  switch (verdict) {
    case HostKeyVerdict::changed:
      return refuse(
          "the host key of " + place(url) + " has CHANGED: it now shows " + shown +
          "; either the host got a new key or somebody is in between; " + compare +
          "replace the host's lines in known_hosts by the output of: " + ssh_keyscan(url));
    case HostKeyVerdict::other:
      return refuse("the host key of " + place(url) +
                    " is of a type that known_hosts does not "
                    "list: " +
                    shown + "; " + compare + "add the output of: " + ssh_keyscan(url));
    default:
      break;
  }
  if (!credentials.host_key_fingerprints.empty())
    return refuse("the host key of " + place(url) + " is " + shown +
                  ", which is none of the pinned fingerprints; " + compare +
                  "pin it, or add to known_hosts the output of: " + ssh_keyscan(url));
  return refuse("the host key of " + place(url) + " is not known: " + shown + "; " + compare +
                "add to known_hosts the output of: " + ssh_keyscan(url));
}

bool is_trusted_by_address(const RemoteUrl& url,
                           const Credentials& credentials,
                           std::string_view der) {
  const auto certificate = read_certificate(der);
  const Handle<X509_STORE, X509_STORE_free> trusted(X509_STORE_new());
  const Handle<X509_STORE_CTX, X509_STORE_CTX_free> check(X509_STORE_CTX_new());
  if (!certificate || !trusted || !check) return false;
  const bool loaded = credentials.ca_file.empty()
                          ? X509_STORE_set_default_paths(trusted.get()) == 1
                          : X509_STORE_load_file(trusted.get(), credentials.ca_file.c_str()) == 1;
  if (!loaded || X509_STORE_CTX_init(check.get(), trusted.get(), certificate.get(), nullptr) != 1 ||
      X509_STORE_CTX_set_purpose(check.get(), X509_PURPOSE_SSL_SERVER) != 1)
    return false;
  // Fails where the host is a name.
  return X509_VERIFY_PARAM_set1_ip_asc(X509_STORE_CTX_get0_param(check.get()),
                                       url.host().c_str()) == 1 &&
         X509_verify_cert(check.get()) == 1;
}

Error distrust(const RemoteUrl& url, const Credentials& credentials, std::string_view der) {
  const auto refuse = [&url](std::string why) {
    return Error{ErrorKind::unauthorized,
                 "the TLS certificate of " + url.host() + " " + std::move(why)};
  };
  const auto certificate = read_certificate(der);
  if (!certificate) return refuse("cannot be read");
  if (X509_cmp_current_time(X509_get0_notAfter(certificate.get())) < 0)
    return refuse("has expired");
  if (X509_cmp_current_time(X509_get0_notBefore(certificate.get())) > 0)
    return refuse("is not valid yet: is this machine's clock right?");
  if (X509_check_host(certificate.get(), url.host().data(), url.host().size(), 0, nullptr) != 1 &&
      X509_check_ip_asc(certificate.get(), url.host().c_str(), 0) != 1)
    return refuse("is for another host name or address");
  if (credentials.ca_file.empty())
    return refuse(
        "is not signed by a CA that this machine trusts; if it is your own CA, give its "
        "certificate with --git-ca-file FILE");
  return refuse("is not signed by the CA in " + credentials.ca_file +
                "; give the right one with --git-ca-file FILE");
}

}  // namespace skep::gitsync
