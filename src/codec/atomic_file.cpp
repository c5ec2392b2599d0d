#include "codec/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <system_error>
#include <utility>
#include <vector>

namespace lanthorn {
namespace {

Error failed(std::string_view what, int number, const std::filesystem::path& path) {
  const bool missing = number == ENOENT || number == ENOTDIR;
  return Error{missing ? ErrorCode::kNotFound : ErrorCode::kSystem,
               std::string(what) + ": " + std::generic_category().message(number), path.string()};
}

/// A folder's entry is on the disk only after the folder is; where that cannot be done, the file is
/// complete all the same.
void sync_folder(const std::string& folder) {
  const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return;
  ::fsync(directory);
  ::close(directory);
}

}  // namespace

Result<AtomicFile> AtomicFile::create(const std::filesystem::path& path) {
  AtomicFile file;
  file.path_ = path;
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    file.descriptor_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file.descriptor_ < 0) return failed("the file cannot be written", errno, path);
    return file;
  }
  // A link keeps being one: the file that it points to is what is replaced.
  std::error_code ignored;
  if (std::filesystem::is_symlink(path, ignored)) {
    const auto target = std::filesystem::weakly_canonical(path, ignored);
    if (!ignored) file.path_ = target;
  }
  std::random_device random;
  for (int attempt = 0; attempt < 100; ++attempt) {
    // Not by path::replace_filename: libstdc++'s frees a path twice when memory runs out in it.
    const std::string& name = file.path_.native();
    const size_t start = name.rfind('/') + 1;  // 0 where there is none
    file.temporary_ =
        name.substr(0, start) + "." + name.substr(start) + "." + std::to_string(random()) + ".tmp";
    file.descriptor_ =
        ::open(file.temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file.descriptor_ >= 0) return file;
    if (errno != EEXIST) break;
  }
  const int number = errno;
  file.temporary_.clear();
  return failed("the file cannot be created", number, path);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      descriptor_(std::exchange(other.descriptor_, -1)),
      written_(other.written_),
      flushed_(other.flushed_) {}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Status AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    constexpr size_t kPiece = size_t{1} << 30;
    const ssize_t written = ::write(descriptor_, bytes.data(), std::min(bytes.size(), kPiece));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("the file cannot be written", errno, path_);
    bytes = bytes.subspan(static_cast<size_t>(written));
    written_ += static_cast<uint64_t>(written);
  }
  constexpr uint64_t kAhead = uint64_t{16} << 20;
  if (written_ - flushed_ >= kAhead && !temporary_.empty()) {
    // Only a hint: where the file system knows no such call, commit() does all of it.
    ::sync_file_range(descriptor_, static_cast<off64_t>(flushed_),
                      static_cast<off64_t>(written_ - flushed_), SYNC_FILE_RANGE_WRITE);
    flushed_ = written_;
  }
  return ok();
}

Status AtomicFile::bring_to_disk() {
  if (temporary_.empty()) return ok();
  if (::fsync(descriptor_) != 0) return failed("the file cannot be written", errno, path_);
  const int descriptor = std::exchange(descriptor_, -1);
  if (::close(descriptor) != 0) return failed("the file cannot be written", errno, path_);
  return ok();
}

Status AtomicFile::commit() {
  AtomicFile* const self = this;
  return commit_all(std::span(&self, 1));
}

Status AtomicFile::commit_all(std::span<AtomicFile* const> files) {
  for (AtomicFile* file : files) LAN_OK(file->bring_to_disk());
  // Second names of what is there, by which it can get its own back, and the folders. Nothing
  // allocates behind this, so that a file with its name is a success.
  std::vector<std::string> kept(files.size()), folders(files.size());
  std::vector<bool> is_new(files.size());
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string& path = files[i]->path_.native();
    folders[i] = path.rfind('/') == std::string::npos ? "." : path.substr(0, path.rfind('/') + 1);
    if (files.size() > 1) kept[i] = files[i]->temporary_ + ".old";
  }
  size_t named = 0;
  int number = 0;
  for (; named < files.size(); ++named) {
    const AtomicFile& file = *files[named];
    if (file.temporary_.empty()) continue;
    std::string& old = kept[named];
    if (!old.empty() && ::link(file.path_.c_str(), old.c_str()) != 0) {
      is_new[named] = errno == ENOENT;  // else the file system has no second names
      old.clear();
    }
    if (::rename(file.temporary_.c_str(), file.path_.c_str()) == 0) continue;
    number = errno;
    if (!old.empty()) ::unlink(old.c_str());
    break;
  }
  for (size_t i = 0; i < named; ++i) {
    const AtomicFile& file = *files[i];
    if (file.temporary_.empty()) continue;
    if (number == 0) {
      if (!kept[i].empty()) ::unlink(kept[i].c_str());
    } else if (is_new[i]) {
      ::unlink(file.path_.c_str());
    } else if (!kept[i].empty()) {
      ::rename(kept[i].c_str(), file.path_.c_str());
    }
  }
  if (number != 0) return failed("the file cannot get its name", number, files[named]->path_);
  for (size_t i = 0; i < files.size(); ++i) {
    const bool other = i == 0 || folders[i] != folders[i - 1];
    if (!files[i]->temporary_.empty() && other) sync_folder(folders[i]);
    files[i]->temporary_.clear();
  }
  return ok();
}

}  // namespace lanthorn
