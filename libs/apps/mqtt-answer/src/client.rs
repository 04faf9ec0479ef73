// SPDX-License-Identifier: BSD-2-Clause

//! The connection to the broker, and what happens on it.

use core::convert::Infallible;
use core::net::SocketAddr;
use core::num::NonZero;
use core::time::Duration;

use embassy_futures::select::{Either, select};
use embassy_futures::yield_now;
use rust_mqtt::Bytes;
use rust_mqtt::client::event::{Event, Publish};
use rust_mqtt::client::options::{
    ConnectOptions, PublicationOptions, SubscriptionOptions, TopicReference, WillOptions,
};
use rust_mqtt::client::{Client, MqttError};
use rust_mqtt::config::{KeepAlive, SessionExpiryInterval};
use rust_mqtt::session::Session;
use rust_mqtt::types::{MqttBinary, MqttString, QoS, ReasonCode, TopicFilter, TopicName};
use socket_client::{Errno, Net, TcpStream, Transport};
use stats::{MqttClient as Counter, Writer};

use crate::flight::{Flight, Flights, MAX_FLIGHTS, MAX_PAYLOAD};
use crate::packets::{MAX_PACKET, Packets};

/// Seconds after which the broker gives up a client that is silent.
pub const KEEP_ALIVE: u16 = 10;
/// How often the broker is asked whether it is still there.
const PING: Duration = Duration::from_secs(KEEP_ALIVE as u64 / 2);
/// How long the broker may be silent.
const SILENCE: Duration = Duration::from_secs(KEEP_ALIVE as u64 * 3 / 2);
/// How long each step of a new connection, and the rest of a packet, may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pause before the next connection, doubled from time to time.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(16);
/// Seconds for which the broker keeps the session of a client that is gone.
const SESSION: u32 = 3600;
/// Messages that the broker may send before the first is confirmed. mosquitto 2.0 sends twenty,
/// and does not keep to a lower limit when their quality of service is 2.
const MAX_RECEIVED: usize = 64;
/// No properties of users are looked at.
const PROPERTIES: usize = 1;

type State = Session<1, MAX_RECEIVED, MAX_FLIGHTS, 0, 0>;
type Mqtt<'c, 'n, T> =
    Client<'c, 'c, TcpStream<'n, T>, Packets, 1, MAX_RECEIVED, MAX_FLIGHTS, 0, PROPERTIES, 0, 0>;

/// Who this client is, and where.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The broker.
    pub broker: SocketAddr,
    /// The client's name there.
    pub id: &'static str,
    /// Who it says that it is.
    pub user: &'static str,
    /// How it proves it.
    pub password: &'static str,
    /// The topic whose messages are answered. It may have wildcards.
    pub ask: &'static str,
    /// The topic of the answers.
    pub answer: &'static str,
    /// The topic that has `online`, and `offline` when the client is gone (its will).
    pub status: &'static str,
}

/// Why a connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A socket failed, or the broker was silent for too long (`ETIMEDOUT`).
    Socket(Errno),
    /// The connection failed.
    Network,
    /// The broker refuses or ends it.
    Broker(ReasonCode),
    /// What the broker says makes no sense.
    Protocol,
    /// A topic in the settings is not valid.
    Settings,
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Failure::Socket(errno)
    }
}

impl<const N: usize> From<MqttError<'_, N>> for Failure {
    fn from(error: MqttError<'_, N>) -> Self {
        match error {
            MqttError::Network(_) => Failure::Network,
            MqttError::Disconnect { reason, .. } => Failure::Broker(reason),
            _ => Failure::Protocol,
        }
    }
}

/// The client.
pub struct MqttAnswer<'n, T: Transport> {
    net: &'n Net<T>,
    settings: Settings,
    stats: Writer<Counter>,
}

impl<'n, T: Transport> MqttAnswer<'n, T> {
    /// With these settings.
    pub fn new(net: &'n Net<T>, settings: Settings, stats: Writer<Counter>) -> Self {
        MqttAnswer {
            net,
            settings,
            stats,
        }
    }

    /// Keeps a connection to the broker, for good. `report` hears why one has ended.
    pub async fn run(&self, mut report: impl FnMut(Failure)) -> Infallible {
        let mut state = State::default();
        let mut flights = Flights::default();
        let mut pause = PAUSE;
        loop {
            let before = self.stats.get(Counter::Connections);
            let mut packets = Packets;
            let mut mqtt = Mqtt::with_session(state, &mut packets);
            let Err(failure) = self.connection(&mut mqtt, &mut flights).await;
            state = mqtt.session().clone();
            self.stats.set(Counter::Connected, 0);
            self.stats.inc(Counter::Failures);
            report(failure);
            if self.stats.get(Counter::Connections) > before {
                pause = PAUSE;
            }
            if self.net.sleep(pause).await.is_err() {
                yield_now().await;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn connection(
        &self,
        mqtt: &mut Mqtt<'_, 'n, T>,
        flights: &mut Flights,
    ) -> Result<Infallible, Failure> {
        let Settings { broker, .. } = self.settings;
        let connect = TcpStream::connect(self.net, broker);
        let stream = self.net.timeout(PATIENCE, connect).await??;
        self.net
            .timeout(PATIENCE, self.enter(mqtt, stream))
            .await??;
        self.stats.inc(Counter::Connections);
        self.stats.set(Counter::Connected, 1);
        let repeat = self.repeat(mqtt, flights);
        self.net.timeout(PATIENCE, repeat).await??;
        let mut heard = self.net.now();
        let mut ping = heard + PING;
        loop {
            match select(mqtt.poll_header(), self.net.sleep_until(ping)).await {
                Either::First(header) => {
                    let body = mqtt.poll_body(header?);
                    let event = self.net.timeout(PATIENCE, body).await??;
                    heard = self.net.now();
                    let handle = self.handle(mqtt, event, flights);
                    self.net.timeout(PATIENCE, handle).await??;
                }
                Either::Second(slept) => {
                    slept?;
                    let now = self.net.now();
                    if now > heard + SILENCE {
                        return Err(Errno::ETIMEDOUT.into());
                    }
                    self.stats.inc(Counter::Pings);
                    self.net.timeout(PATIENCE, mqtt.ping()).await??;
                    ping = now + PING;
                }
            }
        }
    }

    /// Says who this is, subscribes, and says that it is there.
    async fn enter(
        &self,
        mqtt: &mut Mqtt<'_, 'n, T>,
        stream: TcpStream<'n, T>,
    ) -> Result<(), Failure> {
        let settings = &self.settings;
        let will = MqttBinary::try_from("offline").map_err(|_| Failure::Settings)?;
        let will = WillOptions::new(topic(settings.status)?, will);
        let password = MqttBinary::try_from(settings.password).map_err(|_| Failure::Settings)?;
        let seconds = NonZero::new(KEEP_ALIVE).ok_or(Failure::Settings)?;
        let session = NonZero::new(SESSION).ok_or(Failure::Settings)?;
        let packet = NonZero::new(MAX_PACKET as u32).ok_or(Failure::Settings)?;
        let options = ConnectOptions::new()
            .keep_alive(KeepAlive::Seconds(seconds))
            .session_expiry_interval(SessionExpiryInterval::Seconds(session))
            .maximum_packet_size(packet)
            .user_name(string(settings.user)?)
            .password(password)
            .will(will.at_least_once().retain());
        mqtt.connect(stream, &options, Some(string(settings.id)?))
            .await?;
        let ask = TopicFilter::new(string(settings.ask)?).ok_or(Failure::Settings)?;
        let subscription = SubscriptionOptions::new().exactly_once();
        mqtt.subscribe(ask, &subscription).await?;
        let status = PublicationOptions::new(TopicReference::Name(topic(settings.status)?));
        mqtt.publish(&status.retain(), Bytes::from(&b"online"[..]))
            .await?;
        Ok(())
    }

    fn answer(&self, qos: QoS) -> Result<PublicationOptions<'static>, Failure> {
        let topic = topic(self.settings.answer)?;
        Ok(PublicationOptions::new(TopicReference::Name(topic)).qos(qos))
    }

    /// Sends what was under way on the connection before.
    async fn repeat(
        &self,
        mqtt: &mut Mqtt<'_, 'n, T>,
        flights: &mut Flights,
    ) -> Result<(), Failure> {
        mqtt.rerelease().await?;
        for (id, flight) in flights.sent() {
            let options = self.answer(flight.qos)?;
            let payload = || Bytes::from(&flight.payload[..]);
            match mqtt.republish(id, &options, payload()).await {
                // The broker has it, and the release was sent above.
                Ok(()) | Err(MqttError::HandshakeStateMismatched) => {}
                // The broker has lost the session.
                Err(MqttError::PacketIdentifierNotInFlight) => {
                    flight.id = mqtt.publish(&options, payload()).await?;
                }
                Err(error) => return Err(error.into()),
            }
            self.stats.inc(Counter::Repeated);
        }
        self.send(mqtt, flights).await
    }

    /// Sends answers that wait, as many as the broker takes.
    async fn send(&self, mqtt: &mut Mqtt<'_, 'n, T>, flights: &mut Flights) -> Result<(), Failure> {
        while let Some(flight) = flights.next() {
            let options = self.answer(flight.qos)?;
            let payload = Bytes::from(&flight.payload[..]);
            match mqtt.publish(&options, payload).await {
                Ok(id) => flight.id = id,
                Err(MqttError::SendQuotaExceeded | MqttError::SessionBuffer) => break,
                Err(error) => return Err(error.into()),
            }
            self.stats.inc(Counter::Sent);
        }
        Ok(())
    }

    async fn handle(
        &self,
        mqtt: &mut Mqtt<'_, 'n, T>,
        event: Event<'_, 0, PROPERTIES>,
        flights: &mut Flights,
    ) -> Result<(), Failure> {
        match event {
            Event::Publish(message) => self.reply(mqtt, message, flights).await?,
            Event::PublishAcknowledged(ack) | Event::PublishComplete(ack) => {
                let ended = flights.end(ack.packet_identifier);
                self.stats.add(Counter::Confirmed, ended.into());
            }
            Event::PublishRejected(rejected) => {
                flights.end(rejected.packet_identifier);
                self.stats.inc(Counter::Dropped);
            }
            Event::Suback(suback) if !suback.reason_code.is_success() => {
                return Err(Failure::Broker(suback.reason_code));
            }
            _ => {}
        }
        self.send(mqtt, flights).await
    }

    async fn reply(
        &self,
        mqtt: &mut Mqtt<'_, 'n, T>,
        message: Publish<'_, 0, PROPERTIES>,
        flights: &mut Flights,
    ) -> Result<(), Failure> {
        let qos = QoS::from(message.identified_qos);
        self.stats.inc(match qos {
            QoS::AtMostOnce => Counter::Received0,
            QoS::AtLeastOnce => Counter::Received1,
            QoS::ExactlyOnce => Counter::Received2,
        });
        if message.message.len() > MAX_PAYLOAD {
            self.stats.inc(Counter::Dropped);
            return Ok(());
        }
        if qos == QoS::AtMostOnce {
            let options = self.answer(qos)?;
            mqtt.publish(&options, message.message).await?;
            self.stats.inc(Counter::Sent);
            return Ok(());
        }
        let payload = match message.message {
            Bytes::Owned(payload) => payload,
            Bytes::Borrowed(payload) => payload.into(),
        };
        let id = None;
        if flights.0.push(Flight { id, qos, payload }).is_err() {
            self.stats.inc(Counter::Dropped);
        }
        Ok(())
    }
}

fn string(text: &'static str) -> Result<MqttString<'static>, Failure> {
    MqttString::from_str(text).map_err(|_| Failure::Settings)
}

fn topic(name: &'static str) -> Result<TopicName<'static>, Failure> {
    TopicName::new(string(name)?).ok_or(Failure::Settings)
}
