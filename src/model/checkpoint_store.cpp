#include "lanthorn/checkpoint_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <ctime>
#include <map>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

#include "formats/format.h"
#include "formats/torch/plain_tree.h"
#include "lanthorn/lanthorn.h"
#include "model/checkpoint_parts.h"
#include "model/tree_snapshot.h"

namespace lanthorn {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStart = "checkpoint_", kEnd = ".pth";
constexpr const char* kIncoming = ".incoming";

Error failed(std::string message, int number, const fs::path& path) {
  return Error{ErrorCode::kSystem,
               std::move(message) + ": " + std::generic_category().message(number), path.string()};
}

/// `folder / name`, but by way of a string: libstdc++'s operator breaks its path when memory runs
/// out.
fs::path join(const fs::path& folder, std::string_view name) {
  return fs::path(folder.native() + "/" + std::string(name));
}

std::string file_name(int64_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < 8) digits.insert(0, 8 - digits.size(), '0');
  return std::string(kStart) + digits + std::string(kEnd);
}

/// The number of a checkpoint's name; nothing for other names.
std::optional<int64_t> number_of(std::string_view name) {
  if (!name.starts_with(kStart) || !name.ends_with(kEnd)) return std::nullopt;
  name = name.substr(kStart.size(), name.size() - kStart.size() - kEnd.size());
  int64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

/// 2026-11-24, in UTC.
std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[16];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d", &parts));
}

/// Brings the names in a folder to the disk.
Status sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return failed("the folder cannot be opened", errno, folder);
  const int number = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  // Some file systems cannot do this; the file itself is on the disk all the same.
  if (number != 0 && number != EINVAL && number != ENOTSUP) {
    return failed("the folder cannot be brought to the disk", number, folder);
  }
  return ok();
}

/// A file that is removed in the end, unless it got another name.
struct RemovedFile {
  fs::path path;
  explicit RemovedFile(fs::path file) : path(std::move(file)) {}
  RemovedFile(const RemovedFile&) = delete;
  ~RemovedFile() { ::unlink(path.c_str()); }
};

/// Lets a link in a folder point to a file beside it; it points to the old or to the new one at any
/// time.
Status set_link(const fs::path& folder, std::string_view name, const std::string& target) {
  const fs::path link = join(folder, name);
  const RemovedFile fresh(join(join(folder, kIncoming), name));
  if (::symlink(target.c_str(), fresh.path.c_str()) != 0) {
    return failed("the link cannot be made", errno, link);
  }
  if (::rename(fresh.path.c_str(), link.c_str()) != 0) {
    return failed("the link cannot get its name", errno, link);
  }
  return ok();
}

Result<ObjectTree> read_checked(const fs::path& path) {
  ReadLimits limits;
  limits.check_crc = true;
  LAN_TRY(const FileContents contents, read_file(path, limits));
  if (!contents.objects) return Error{ErrorCode::kCorrupt, "is no checkpoint", path.string(), ""};
  return *contents.objects;
}

}  // namespace

struct CheckpointStore::Impl {
  fs::path folder;
  StoreOptions options;
  int lock = -1;
  mutable std::mutex mutex;
  std::map<int64_t, std::optional<double>>
      known;  // metric by number; under the mutex while a worker writes
  std::vector<std::string> skipped;
  std::thread worker;
  Status worker_status = ok();

  ~Impl() {
    if (worker.joinable()) worker.join();
    if (lock >= 0) ::close(lock);
  }

  fs::path path_of(int64_t number) const { return join(folder, file_name(number)); }
  Status prepare();
  void look();
  bool better(double a, double b) const { return options.higher_is_better ? a > b : a < b; }
  std::vector<int64_t> best_first() const;
  int64_t next_number(const Checkpoint& checkpoint) const;
  ObjectTree tree_of(const Checkpoint& checkpoint) const;
  Status write(ObjectTree& tree, int64_t number, std::optional<double> metric);
  Status write_file(const ObjectTree& tree, int64_t number);
  Status set_links(int64_t number);
  void prune();
};

Status CheckpointStore::Impl::prepare() {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return failed("the folder cannot be made", error.value(), folder);
  lock = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock < 0) return failed("the folder cannot be opened", errno, folder);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return failed("the folder cannot be locked", errno, folder);
    return Error{ErrorCode::kSystem, "another program writes checkpoints to this folder",
                 folder.string(), "Give each training run a folder of its own."};
  }
  fs::remove_all(join(folder, kIncoming), error);
  fs::create_directory(join(folder, kIncoming), error);
  if (error) return failed("the folder cannot be written", error.value(), folder);
  look();
  return ok();
}

/// Finds the checkpoints that are there, and their metric.
void CheckpointStore::Impl::look() {
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const auto number = number_of(at->path().filename().string());
    if (!number) continue;
    const auto checkpoint = load_checkpoint(at->path());
    known[*number] = checkpoint ? checkpoint->metric(options.metric) : std::nullopt;
  }
}

std::vector<int64_t> CheckpointStore::Impl::best_first() const {
  std::vector<std::pair<double, int64_t>> rated;
  for (const auto& [number, metric] : known) {
    if (metric && !std::isnan(*metric)) rated.emplace_back(*metric, number);
  }
  std::stable_sort(rated.begin(), rated.end(),
                   [this](const auto& a, const auto& b) { return better(a.first, b.first); });
  std::vector<int64_t> numbers;
  for (const auto& [metric, number] : rated) numbers.push_back(number);
  return numbers;
}

int64_t CheckpointStore::Impl::next_number(const Checkpoint& checkpoint) const {
  if (checkpoint.epoch && *checkpoint.epoch >= 0) return *checkpoint.epoch;
  return known.empty() ? 0 : known.rbegin()->first + 1;
}

ObjectTree CheckpointStore::Impl::tree_of(const Checkpoint& checkpoint) const {
  ObjectTree tree = checkpoint_tree(checkpoint);
  if (checkpoint.producer.empty()) {
    tree.set(tree.root, "producer", tree.add(PlainValue("lanthorn " + std::string(version()))));
  }
  if (checkpoint.training_date.empty()) {
    tree.set(tree.root, "training_date", tree.add(PlainValue(today())));
  }
  return tree;
}

Status CheckpointStore::Impl::write_file(const ObjectTree& tree, int64_t number) {
  const RemovedFile incoming(join(join(folder, kIncoming), file_name(number)));
  LAN_TRY(const PlainTree plain, make_plain(tree));
  LAN_TRY(const SaveReport report, lanthorn::save(plain.tree, incoming.path, {.format = "torch"}));
  if (options.verify) {
    const auto found = read_checked(incoming.path);
    Status same = found ? same_contents(plain.tree, *found) : Status(found.error());
    if (!same) {
      return std::move(same)
          .error()
          .at("reading back " + incoming.path.string())
          .advise("The checkpoints that were there are unharmed. Is the disk sound?");
    }
  }
  const fs::path path = path_of(number);
  if (::rename(incoming.path.c_str(), path.c_str()) != 0) {
    return failed("the checkpoint cannot get its name", errno, path);
  }
  return sync_folder(folder);
}

Status CheckpointStore::Impl::set_links(int64_t number) {
  LAN_OK(set_link(folder, "latest.pth", file_name(number)));
  const std::vector<int64_t> best = best_first();
  if (!best.empty()) LAN_OK(set_link(folder, "best.pth", file_name(best[0])));
  return sync_folder(folder);
}

/// Removes what is neither among the newest nor among the best.
void CheckpointStore::Impl::prune() {
  if (options.keep_last == 0) return;
  std::vector<int64_t> kept = best_first();
  kept.resize(std::min(kept.size(), options.keep_best));
  size_t newest = 0;
  for (auto at = known.rbegin(); at != known.rend() && newest < options.keep_last; ++at, ++newest) {
    kept.push_back(at->first);
  }
  std::erase_if(known, [&](const auto& entry) {
    if (std::find(kept.begin(), kept.end(), entry.first) != kept.end()) return false;
    ::unlink(path_of(entry.first).c_str());
    return true;
  });
}

Status CheckpointStore::Impl::write(ObjectTree& tree, int64_t number,
                                    std::optional<double> metric) try {
  if (options.digests || tree.find(tree.root, "tensor_digests") != kNoObject) {
    LAN_OK(add_digests(tree));
  }
  LAN_OK(write_file(tree, number));
  const std::lock_guard lock_known(mutex);
  known[number] = metric;
  LAN_OK(set_links(number));
  prune();
  return ok();
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kOutOfMemory, "not enough memory to write the checkpoint",
               path_of(number).string(), "The checkpoints that were there are unharmed."};
}

Result<CheckpointStore> CheckpointStore::open(const fs::path& folder,
                                              const StoreOptions& options) try {
  auto impl = std::make_unique<Impl>();
  impl->folder = folder;
  impl->options = options;
  LAN_OK(impl->prepare());
  return CheckpointStore(std::move(impl));
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kOutOfMemory, "not enough memory to open the folder", folder.string(),
               ""};
}

CheckpointStore::CheckpointStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CheckpointStore::CheckpointStore(CheckpointStore&&) noexcept = default;
CheckpointStore& CheckpointStore::operator=(CheckpointStore&&) noexcept = default;
CheckpointStore::~CheckpointStore() = default;

Result<fs::path> CheckpointStore::save(const Checkpoint& checkpoint) try {
  LAN_OK(wait());
  ObjectTree tree = impl_->tree_of(checkpoint);
  const int64_t number = impl_->next_number(checkpoint);
  LAN_OK(impl_->write(tree, number, checkpoint.metric(impl_->options.metric)));
  return impl_->path_of(number);
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kOutOfMemory, "not enough memory to write the checkpoint",
               impl_->folder.string(), "The checkpoints that were there are unharmed."};
}

Status CheckpointStore::save_async(const Checkpoint& checkpoint) try {
  LAN_OK(wait());
  auto tree = std::make_shared<ObjectTree>(impl_->tree_of(checkpoint));
  LAN_OK(take_snapshot(*tree));
  const int64_t number = impl_->next_number(checkpoint);
  const std::optional<double> metric = checkpoint.metric(impl_->options.metric);
  Impl* const impl = impl_.get();
  try {
    impl->worker = std::thread(
        [impl, tree, number, metric] { impl->worker_status = impl->write(*tree, number, metric); });
  } catch (const std::system_error&) {
    return impl->write(*tree, number, metric);  // no thread is to be had: written here and now
  }
  return ok();
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kOutOfMemory, "not enough memory to copy the checkpoint",
               impl_->folder.string(), "The checkpoints that were there are unharmed."};
}

Status CheckpointStore::wait() {
  if (impl_->worker.joinable()) impl_->worker.join();
  return std::exchange(impl_->worker_status, ok());
}

Result<std::optional<Checkpoint>> CheckpointStore::resume() try {
  LAN_OK(wait());
  impl_->skipped.clear();
  for (auto at = impl_->known.rbegin(); at != impl_->known.rend(); ++at) {
    const fs::path path = impl_->path_of(at->first);
    const auto tree = read_checked(path);
    auto checkpoint = tree ? checkpoint_of(*tree) : Result<Checkpoint>(tree.error());
    if (checkpoint) return std::optional<Checkpoint>(*std::move(checkpoint));
    impl_->skipped.push_back(path.filename().string() + ": " + checkpoint.error().text());
  }
  return std::optional<Checkpoint>();
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kOutOfMemory, "not enough memory to read the checkpoint",
               impl_->folder.string(), ""};
}

const std::vector<std::string>& CheckpointStore::skipped() const { return impl_->skipped; }

std::vector<fs::path> CheckpointStore::checkpoints() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<fs::path> paths;
  for (auto at = impl_->known.rbegin(); at != impl_->known.rend(); ++at) {
    paths.push_back(impl_->path_of(at->first));
  }
  return paths;
}

fs::path CheckpointStore::best() const {
  const std::lock_guard lock(impl_->mutex);
  const std::vector<int64_t> best = impl_->best_first();
  return best.empty() ? fs::path() : impl_->path_of(best[0]);
}

}  // namespace lanthorn
