// uWebSockets, as its documentation has it: reads inputs as they come, sends everybody ready bytes in every tick.
// uws ADDRESS PORT

#include "App.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int ticks_per_second = 30;
constexpr std::size_t message_bytes = 300;

struct Player {
    std::size_t place;
};

using Socket = uWS::WebSocket<false, true, Player>;

std::vector<Socket *> players;
unsigned long inputs;
unsigned long tick;
Clock::time_point start;

// Milliseconds are all that its timers know, so each is set for the tick that is next.
void set(us_timer_t *timer);

void send_to_all(us_timer_t *timer) {
    tick++;
    std::array<char, message_bytes> message;
    message.fill(static_cast<char>(tick));
    for (Socket *player : players) {
        player->send(std::string_view(message.data(), message.size()), uWS::OpCode::BINARY);
    }
    set(timer);
}

void set(us_timer_t *timer) {
    const auto due = start + std::chrono::nanoseconds(std::chrono::seconds(1)) * (tick + 1) / ticks_per_second;
    const auto wait = std::chrono::round<std::chrono::milliseconds>(due - Clock::now()).count();
    us_timer_set(timer, send_to_all, std::max<int>(1, static_cast<int>(wait)), 0);
}

} // namespace

int main(int count, char **arguments) {
    if (count != 3) {
        std::cerr << "uws ADDRESS PORT\n";
        return 2;
    }
    uWS::App app;
    app.ws<Player>("/*", {
        .compression = uWS::DISABLED,
        .maxPayloadLength = 1024,
        .idleTimeout = 16,
        .open = [](Socket *socket) {
            socket->getUserData()->place = players.size();
            players.push_back(socket);
        },
        .message = [](Socket *, std::string_view, uWS::OpCode) { inputs++; },
        .close = [](Socket *socket, int, std::string_view) {
            const std::size_t place = socket->getUserData()->place;
            players[place] = players.back();
            players[place]->getUserData()->place = place;
            players.pop_back();
        },
    });
    bool listens = false;
    app.listen(arguments[1], std::atoi(arguments[2]), [&](us_listen_socket_t *socket) { listens = socket != nullptr; });
    if (!listens) {
        std::cerr << "uws: cannot listen on " << arguments[1] << ':' << arguments[2] << '\n';
        return 1;
    }
    start = Clock::now();
    us_timer_t *timer = us_create_timer(reinterpret_cast<us_loop_t *>(uWS::Loop::get()), 0, 0);
    set(timer);
    app.run();
}
