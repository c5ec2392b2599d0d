#include "serve/http.h"

#include <chrono>
#include <optional>
#include <set>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "serve/http_request.h"
#include "serve/validation.h"

namespace lanthorn {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using Code = beast::error_code;

namespace {

class Connection;

}  // namespace

struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
  Impl(Handler h, HttpLimits l, int workers)
      : handler(std::move(h)), limits(l), acceptor(io), signals(io), accept_pause(io), drain_timer(io), pool(static_cast<size_t>(workers)) {}

  void accept();
  void start_draining();

  Handler handler;
  HttpLimits limits;
  asio::io_context io{1};
  tcp::acceptor acceptor;
  asio::signal_set signals;
  asio::steady_timer accept_pause, drain_timer;
  std::set<Connection*> connections;
  bool draining = false, accepting = false;
  asio::thread_pool pool;
};

namespace {

using Server = std::shared_ptr<HttpServer::Impl>;

/// One client. Everything but the handler's answer happens on the reading thread.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, Server server) : stream_(std::move(socket)), server_(std::move(server)) {
    server_->connections.insert(this);
    if (server_->handler.connection) server_->handler.connection(true);
  }
  ~Connection() {
    server_->connections.erase(this);
    if (server_->handler.connection) server_->handler.connection(false);
    if (!server_->accepting && !server_->draining) server_->accept();
  }

  void read_request() {
    parser_.emplace();
    limit_parser(*parser_, server_->limits);
    answering_ = false;
    // A client that sent its request before it could know of the end still gets its answer.
    constexpr auto kLastCall = std::chrono::milliseconds(500);
    if (server_->draining) {
      stream_.expires_after(kLastCall);
    } else {
      stream_.expires_after(std::chrono::seconds(first_ || buffer_.size() > 0 ? server_->limits.header_seconds : server_->limits.idle_seconds));
    }
    first_ = false;
    http::async_read_header(stream_, buffer_, *parser_, [self = shared_from_this()](Code error, size_t) { self->on_header(error); });
  }

  void begin_draining() {
    if (!answering_ && !parser_started()) stream_.expires_after(std::chrono::milliseconds(500));
  }

 private:
  bool parser_started() const { return parser_ && parser_->got_some(); }

  void on_header(Code error) {
    if (error) return refuse(error);
    const auto& head = parser_->get();
    answering_ = true;
    start_ = std::chrono::steady_clock::now();
    stream_.expires_after(std::chrono::seconds(server_->limits.body_seconds));
    if (auto refused = refuse_head(*parser_)) return answer_last(*std::move(refused));
    if (beast::iequals(head[http::field::expect], "100-continue") && parser_->content_length().value_or(1) > 0) {
      static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      asio::async_write(stream_, asio::buffer(kContinue), [self = shared_from_this()](Code failed, size_t) {
        if (!failed) self->read_body();
      });
      return;
    }
    read_body();
  }

  void read_body() {
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](Code error, size_t) { self->on_body(error); });
  }

  void on_body(Code error) {
    if (error) return refuse(error);
    const auto& head = parser_->get();
    request_ = {};
    start_ = std::chrono::steady_clock::now();
    keep_alive_ = head.keep_alive();
    version_ = head.version();
    if (!take_request(*parser_, request_)) {
      return write({400, detail_json("the target is no path"), "application/json", "", ""});
    }
    if (server_->handler.is_quick(request_)) return write(server_->handler.answer(request_));
    stream_.expires_never();
    asio::post(server_->pool, [self = shared_from_this()] {
      HttpAnswer answer;
      try {
        answer = self->server_->handler.answer(self->request_);
      } catch (const std::bad_alloc&) {
        answer = {503, detail_json("out of memory"), "application/json", "", ""};
      }
      asio::post(self->server_->io, [self, answer = std::move(answer)]() mutable { self->write(std::move(answer)); });
    });
  }

  /// A request that cannot be read: says why where the connection still stands, and ends it.
  void refuse(Code error) {
    if (error == beast::error::timeout && parser_started()) return answer_last({408, detail_json("the request took too long"), "application/json", "", ""});
    if (auto refused = refuse_unreadable(error, server_->limits)) return answer_last(*std::move(refused));
  }

  void answer_last(HttpAnswer answer) {
    keep_alive_ = false;
    version_ = 11;
    write(std::move(answer));
  }

  void write(HttpAnswer answer) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    if (server_->handler.answered) server_->handler.answered(answer, seconds);
    keep_alive_ = keep_alive_ && !server_->draining;
    response_ = {};
    response_.version(version_);
    response_.result(answer.status);
    response_.set(http::field::content_type, answer.content_type);
    if (!answer.allow.empty()) response_.set(http::field::allow, answer.allow);
    response_.keep_alive(keep_alive_);
    response_.content_length(answer.body.size());
    if (request_.method != "HEAD") response_.body() = std::move(answer.body);
    stream_.expires_after(std::chrono::seconds(server_->limits.write_seconds));
    serializer_.emplace(response_);
    const auto done = [self = shared_from_this()](Code error, size_t) { self->on_written(error); };
    if (request_.method == "HEAD") {
      http::async_write_header(stream_, *serializer_, done);
    } else {
      http::async_write(stream_, *serializer_, done);
    }
  }

  void on_written(Code error) {
    if (error) return;
    request_ = {};
    if (keep_alive_) return read_request();
    Code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    // What the client still sends is read and dropped for a moment, so that the answer is not lost to
    // a reset.
    stream_.expires_after(std::chrono::seconds(2));
    drop_rest();
  }

  void drop_rest() {
    constexpr size_t kDropLimit = 1 << 20;
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(16384), [self = shared_from_this()](Code error, size_t bytes) {
      self->dropped_ += bytes;
      if (!error && self->dropped_ < kDropLimit) self->drop_rest();
    });
  }

  beast::tcp_stream stream_;
  Server server_;
  beast::flat_buffer buffer_;
  std::optional<HttpParser> parser_;
  http::response<http::string_body> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  HttpRequest request_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  size_t dropped_ = 0;
  unsigned version_ = 11;
  bool keep_alive_ = true, answering_ = false, first_ = true;
};

}  // namespace

void HttpServer::Impl::accept() {
  if (!acceptor.is_open()) return;
  accepting = connections.size() < limits.max_connections;
  if (!accepting) return;
  acceptor.async_accept([self = shared_from_this()](Code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (error) {
      // Out of descriptors, say: a pause, and another try.
      self->accept_pause.expires_after(std::chrono::milliseconds(50));
      self->accept_pause.async_wait([self](Code stopped) {
        if (!stopped) self->accept();
      });
      return;
    }
    Code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    std::make_shared<Connection>(std::move(socket), self)->read_request();
    self->accept();
  });
}

void HttpServer::Impl::start_draining() {
  if (draining) return;
  draining = true;
  if (handler.draining) handler.draining();
  for (Connection* connection : connections) connection->begin_draining();
  // Who connected before the end still gets in; then the port is free.
  constexpr auto kBacklog = std::chrono::milliseconds(100);
  accept_pause.expires_after(kBacklog);
  accept_pause.async_wait([self = shared_from_this()](Code) {
    Code ignored;
    self->acceptor.close(ignored);
  });
  drain_timer.expires_after(std::chrono::seconds(limits.drain_seconds));
  drain_timer.async_wait([self = shared_from_this()](Code error) {
    if (!error) self->io.stop();
  });
  Code ignored;
  signals.cancel(ignored);
}

HttpServer::HttpServer(Handler handler, HttpLimits limits, int workers)
    : impl_(std::make_shared<Impl>(std::move(handler), limits, workers)) {}
HttpServer::~HttpServer() { impl_->pool.join(); }

Status HttpServer::listen(const std::string& host, uint16_t port) {
  Code error;
  const auto failed = [&](const char* what) {
    return Error{ErrorCode::kSystem, std::string(what) + ": " + error.message(), host + ":" + std::to_string(port), ""};
  };
  const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error) return failed("is no address");
  const tcp::endpoint endpoint(address, port);
  impl_->acceptor.open(endpoint.protocol(), error);
  if (!error) impl_->acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) impl_->acceptor.bind(endpoint, error);
  if (!error) impl_->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return failed("cannot be listened on");
  // From here on the port is known, so the end may be asked for.
  impl_->signals.add(SIGTERM);
  impl_->signals.add(SIGINT);
  impl_->signals.async_wait([impl = impl_](Code stopped, int) {
    if (!stopped) impl->start_draining();
  });
  return ok();
}

uint16_t HttpServer::port() const {
  Code error;
  return impl_->acceptor.local_endpoint(error).port();
}

void HttpServer::run() {
  impl_->accept();
  while (!impl_->io.stopped()) {
    impl_->io.run_one();
    if (impl_->draining && impl_->connections.empty() && !impl_->acceptor.is_open()) break;
  }
  impl_->pool.join();
}

void HttpServer::drain() {
  asio::post(impl_->io, [impl = impl_] { impl->start_draining(); });
}

}  // namespace lanthorn
