#include "server/tls_certificate.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

#include <sys/stat.h>

#include "server/tls_pair.hpp"

namespace skep::server {
namespace {

using namespace std::chrono_literals;

constexpr auto kLook = 1s;       ///< Between two looks at the files.
constexpr auto kLongest = 1min;  ///< That a handshake may use what was replaced meanwhile.
constexpr unsigned kMostCertificates = 10;

Error unusable(const std::string& file, std::string_view why) {
  return {ErrorKind::invalid_input, file + ": " + std::string(why)};
}

Result<std::string> read_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return unusable(path, errno == EACCES ? "permission denied" : "cannot be opened");
  return std::string(std::istreambuf_iterator<char>(file), {});
}

gnutls_datum_t datum_of(std::string& text) {
  return {.data = reinterpret_cast<unsigned char*>(text.data()),
          .size = static_cast<unsigned>(text.size())};
}

std::string key_id_of(gnutls_pubkey_t key) {
  std::string id(64, '\0');
  auto size = id.size();
  if (gnutls_pubkey_get_key_id(
          key, GNUTLS_KEYID_USE_SHA256, reinterpret_cast<unsigned char*>(id.data()), &size) < 0)
    return {};
  id.resize(size);
  return id;
}

bool belong_together(gnutls_pcert_st& certificate, gnutls_privkey_t key) {
  gnutls_pubkey_t of_key = nullptr;
  if (gnutls_pubkey_init(&of_key) < 0) return false;
  const bool read = gnutls_pubkey_import_privkey(of_key, key, 0, 0) >= 0;
  const auto id = read ? key_id_of(of_key) : std::string();
  gnutls_pubkey_deinit(of_key);
  return !id.empty() && id == key_id_of(certificate.pubkey);
}

}  // namespace

TlsCertificate::TlsCertificate(TlsFiles files, std::function<void(std::string_view)> say)
    : files_(std::move(files)), say_(std::move(say)) {}

TlsCertificate::~TlsCertificate() = default;

Result<std::unique_ptr<TlsCertificate>> TlsCertificate::load(
    TlsFiles files, std::function<void(std::string_view)> say) {
  std::unique_ptr<TlsCertificate> certificate(new TlsCertificate(std::move(files), std::move(say)));
  certificate->stamp_ = certificate->stamp();
  auto pair = read(certificate->files_);
  if (!pair) return std::move(pair).error();
  certificate->pair_ = *std::move(pair);
  certificate->looked_ = Steady::now();
  return certificate;
}

Result<std::shared_ptr<const TlsCertificate::Pair>> TlsCertificate::read(const TlsFiles& files) {
  auto certificates = read_file(files.certificate);
  if (!certificates) return std::move(certificates).error();
  auto key = read_file(files.key);
  if (!key) return std::move(key).error();
  auto pair = std::make_shared<Pair>();
  unsigned count = kMostCertificates;
  pair->chain.resize(count);
  auto datum = datum_of(*certificates);
  const int imported =
      gnutls_pcert_list_import_x509_raw(pair->chain.data(), &count, &datum, GNUTLS_X509_FMT_PEM, 0);
  pair->chain.resize(imported < 0 ? 0 : count);
  if (imported < 0 || count == 0)
    return unusable(files.certificate, "is no certificate in PEM form");
  datum = datum_of(*key);
  gnutls_privkey_init(&pair->key);
  if (gnutls_privkey_import_x509_raw(pair->key, &datum, GNUTLS_X509_FMT_PEM, nullptr, 0) < 0)
    return unusable(files.key, "is no private key in PEM form without a password");
  if (!belong_together(pair->chain.front(), pair->key))
    return unusable(files.key, "does not belong to the certificate " + files.certificate);
  return std::shared_ptr<const Pair>(std::move(pair));
}

std::string TlsCertificate::stamp() const {
  std::string text;
  for (const auto& path : {files_.certificate, files_.key}) {
    struct stat file {};
    if (::stat(path.c_str(), &file) != 0) continue;
    text += std::to_string(file.st_ino) + "," + std::to_string(file.st_size) + "," +
            std::to_string(file.st_mtim.tv_sec) + "." + std::to_string(file.st_mtim.tv_nsec) + ";";
  }
  return text;
}

std::shared_ptr<const TlsCertificate::Pair> TlsCertificate::current() {
  const std::lock_guard lock(mutex_);
  const auto now = Steady::now();
  if (now - looked_ < kLook) return pair_;
  looked_ = now;
  std::erase_if(retired_, [&](const Retired& one) { return now - one.at > kLongest; });
  auto stamp = this->stamp();
  if (stamp == stamp_) return pair_;
  stamp_ = std::move(stamp);
  auto fresh = read(files_);
  if (!fresh) {
    // Somebody may be between writing one file and the other: the next look is at both again.
    if (say_) say_(fresh.error().message);
    return pair_;
  }
  retired_.push_back({now, std::move(pair_)});
  pair_ = *std::move(fresh);
  return pair_;
}

}  // namespace skep::server
